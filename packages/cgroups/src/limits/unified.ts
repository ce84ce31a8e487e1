import { ConfigInvalid, kernelString } from '@libcontainer/sys'
import { LimitUnsupported } from '../errors.js'
import { type Keyed, keyedEntries } from './keyed.js'
import type { CgroupWrite } from './write.js'

/** Raw files of cgroup v2 with what to write into them: `{ 'memory.high': '64M' }`. Each line is a write of its own. */
export type UnifiedFiles = Keyed<string>

export const unifiedEntries = keyedEntries<string>

export function checkUnified(field: string, value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ConfigInvalid(field, value, 'must be a map from file names to text')
  }
  for (const [file, text] of unifiedEntries(value as UnifiedFiles)) {
    const at = `${field}['${file}']`
    if (file.includes('/')) throw new ConfigInvalid(at, file, 'must be a file name, without a slash')
    if (!/^[^.]+\../.test(file)) throw new ConfigInvalid(at, file, "must be a controller's file, such as memory.high")
    kernelString(file, at)
    kernelString(text, at)
  }
}

/** The controllers whose files are named; `cgroup` itself is none. */
export function unifiedControllers(files: UnifiedFiles): string[] {
  const names = unifiedEntries(files).map(([file]) => file.slice(0, file.indexOf('.')))
  return [...new Set(names)].filter(name => name !== 'cgroup')
}

/** @param available - the controllers of the unified hierarchy; `undefined` where there is none */
export function unifiedWrites(files: UnifiedFiles, available: readonly string[] | undefined): CgroupWrite[] {
  return unifiedEntries(files).map(([file, value]) => {
    const controller = file.slice(0, file.indexOf('.'))
    const field = `unified['${file}']`
    if (available === undefined) {
      throw new LimitUnsupported(field, controller, 'these are files of cgroup v2, which is not mounted here')
    }
    if (controller !== 'cgroup' && !available.includes(controller)) {
      const has = available.join(', ') || 'none'
      throw new LimitUnsupported(
        field,
        controller,
        `cgroup v2 has no controller '${controller}' on this host (it has ${has})`,
      )
    }
    return { file, value }
  })
}
