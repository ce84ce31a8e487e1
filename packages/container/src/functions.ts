import type { ContainerConfig } from './config/config.js'
import type { Container } from './container.js'
import { Factory, type FactoryOptions } from './factory.js'

/**
 * Makes a container below a state root: {@link Factory.create} without a factory. Both share what is on disk.
 *
 * @throws as `Factory.open` and `Factory.create`
 */
export async function create(
  root: string,
  id: string,
  config: ContainerConfig,
  options: FactoryOptions = {},
): Promise<Container> {
  return await (await Factory.open(root, options)).create(id, config)
}

/**
 * Finds a container again: {@link Factory.load} without a factory. The state root is made where it is missing.
 *
 * @throws as `Factory.open` and `Factory.load`
 */
export async function load(root: string, id: string, options: FactoryOptions = {}): Promise<Container> {
  return await (await Factory.open(root, options)).load(id)
}
