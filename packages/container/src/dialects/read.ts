import { ConfigInvalid } from '@libcontainer/sys'
import type { ContainerConfig } from '../config/config.js'
import { readConfig2014 } from './config-2014.js'
import { readConfig2015 } from './config-2015.js'
import { readConfig2026 } from './config-2026.js'
import { detectDialect } from './detect.js'
import {
  type Dialect,
  type DialectConfig,
  type ProcessDefaults,
  processDefaultFields,
  type ReadOptions,
} from './dialect.js'
import { Fields } from './fields.js'
import { rootfsOf } from './shared.js'

/**
 * Reads a file in this library's own words: the fields of a `ContainerConfig`, and a `process`. `validate` finds what is wrong with the config.
 *
 * @throws {ConfigInvalid} for what is no object, and for a field that no process has
 */
export function readOwnConfig(value: unknown, options: ReadOptions = {}): DialectConfig {
  const file = new Fields(value, '')
  const { process = {}, ...config } = value as { process?: unknown } & Record<string, unknown>
  const fields = new Fields(process, 'process')
  for (const name of processDefaultFields) fields.take(name)
  fields.end('a process')
  const rootfs = rootfsOf(file.text('rootfs'), options)
  return { config: { ...config, rootfs } as ContainerConfig, process: process as ProcessDefaults, warnings: [] }
}

const readers: Readonly<Record<Exclude<Dialect, 'oci'>, (value: unknown, options: ReadOptions) => DialectConfig>> = {
  own: readOwnConfig,
  2014: readConfig2014,
  2015: readConfig2015,
  2026: readConfig2026,
}

/**
 * Reads a config in whichever words it is written, but OCI's.
 *
 * @throws {ConfigInvalid} with the field
 */
export function readConfig(value: unknown, options: ReadOptions = {}): DialectConfig & { readonly dialect: Dialect } {
  const dialect = detectDialect(value)
  if (dialect === 'oci')
    throw new ConfigInvalid(
      'ociVersion',
      (value as { ociVersion: unknown }).ociVersion,
      'is an OCI config.json, which @libcontainer/oci reads',
    )
  return { dialect, ...readers[dialect](value, options) }
}
