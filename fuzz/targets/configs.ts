import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type ContainerConfig,
  type DialectConfig,
  readConfig,
  writeConfig2015,
  writeConfig2026,
} from '@libcontainer/container'
import { parseJson, stringifyJson } from '@libcontainer/sys'
import { validateShape } from '../../packages/container/src/validate-shape.js'
import { answer, textOf } from '../support/oracles.js'
import { planOf } from '../support/planned.js'

/** Configs in the words of three years, and in our own: read, told in another's words, and planned, or refused by field. */
export function fuzz(data: Uint8Array): void {
  let value: unknown
  try {
    value = parseJson(textOf(data))
  } catch {
    return
  }
  const read = answer<DialectConfig>(() => readConfig(value, { rootfs: '/rootfs' }))
  if (read === undefined) return
  planOf(read.config, { args: ['/bin/true'], ...read.process })
  // Writers take what is sound.
  const config: ContainerConfig = { ...read.config, seccomp: null }
  if (validateShape(config).length > 0) return
  for (const write of [writeConfig2015, writeConfig2026]) {
    const written = answer(() => write({ config, process: read.process }))
    if (written !== undefined) answer(() => readConfig(parseJson(stringifyJson(written))))
  }
}

const samples = ['', '2014/', '2015/'].map(folder => join(import.meta.dirname, '../../sample_configs', folder))

export function seeds(): Buffer[] {
  return samples.flatMap(folder =>
    readdirSync(folder)
      .filter(name => name.endsWith('.json'))
      .map(name => readFileSync(join(folder, name))),
  )
}
