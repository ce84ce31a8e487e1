import { ConfigInvalid, encodeUtf8, kernelString } from '@libcontainer/sys'
import { cleanPath } from '../host/place.js'

/** A unit of systemd that is a cgroup. */
export interface CgroupUnit {
  /** `libcontainer-demo.scope`, or the name of a slice. */
  readonly name: string
  /** The slice that it stands in. */
  readonly slice: string
  /** Its cgroup below that of the service manager, with a `/` at its start. */
  readonly path: string
  /** The cgroup below it that processes live in: a name, where there is one. */
  readonly sub?: string | undefined
}

/** The last character of a name is in its suffix; this many bytes may a unit's name have. */
const MAX_NAME = 255
const ROOT_SLICE = '-.slice'

/**
 * The unit that a path names: `slice:prefix:name` is `<prefix>-<name>.scope` in that slice, or where the name itself ends in `.slice` that slice.
 * `slice:prefix:name/sub` is a scope whose processes live in a cgroup `sub` below it. A name with a slash before it is a scope in the usual slice:
 * what a container has that names no path.
 *
 * @param usual - the slice of what names none: `system.slice`
 * @throws {ConfigInvalid} for what names no unit
 */
export function unitOf(path: string, usual: string, field = 'path'): CgroupUnit {
  const parts = kernelString(path, field).split(':')
  const [slice, prefix, whole = ''] = parts.length === 1 && /^\/[^/]+$/.test(path) ? ['', '', path.slice(1)] : parts
  const [, name = '', sub] = /^([^/]*)(?:\/([^/]+))?$/s.exec(whole) ?? []
  if (sub === '.' || sub === '..' || (sub !== undefined && name.endsWith('.slice')))
    throw new ConfigInvalid(field, path, 'must have a name of a cgroup below a scope behind the slash')
  if (sub !== undefined) cleanPath(sub, field)
  if ((parts.length !== 3 && parts.length !== 1) || !name) {
    throw new ConfigInvalid(field, path, 'must be slice:prefix:name for systemd', {
      hint: 'such as system.slice:libcontainer:demo; a path is for the driver cgroupfs',
    })
  }
  if (name.endsWith('.slice')) {
    const at = expandSlice(name, field)
    const parent = sliceAbove(name)
    if (slice && slice !== parent)
      throw new ConfigInvalid(field, path, `must have the slice ${parent}, which the name ${name} says`)
    return { name, slice: parent, path: at }
  }
  const full = `${prefix ? `${prefix}-` : ''}${name}`
  const unit = `${escapeName(full)}.scope`
  if (unit.length > MAX_NAME)
    throw new ConfigInvalid(
      field,
      path,
      `makes a unit's name of ${unit.length} bytes, of which there may be ${MAX_NAME}`,
    )
  const parent = slice || usual
  const above = expandSlice(parent, field)
  const at = `${above === '/' ? '' : above}/${directoryName(unit)}`
  return { name: unit, slice: parent, path: at, ...(sub === undefined ? {} : { sub }) }
}

/**
 * Where a slice's cgroup is: `a-b.slice` in `/a.slice/a-b.slice`, `-.slice` at the top.
 *
 * @throws {ConfigInvalid} for what is the name of no slice
 */
export function expandSlice(slice: string, field = 'slice'): string {
  if (slice === ROOT_SLICE) return '/'
  const stem = slice.endsWith('.slice') ? slice.slice(0, -'.slice'.length) : ''
  const fail = (problem: string): never => {
    throw new ConfigInvalid(field, slice, problem, {
      hint: 'such as system.slice, or a-b.slice, which stands in a.slice',
    })
  }
  if (stem === '') return fail('must be the name of a slice, which ends in .slice')
  if (slice.length > MAX_NAME) return fail(`must have at most ${MAX_NAME} bytes`)
  if (!/^[A-Za-z0-9:_.\\@-]+$/.test(stem)) return fail('must be a name of letters, digits and : _ . \\ @ -')
  const parts = stem.split('-')
  if (parts.includes('')) return fail('must have something before and behind each -')
  return parts.map((_, i) => `/${directoryName(`${parts.slice(0, i + 1).join('-')}.slice`)}`).join('')
}

/** The slice that the name of one says it stands in. */
function sliceAbove(slice: string): string {
  const at = slice.lastIndexOf('-')
  return at < 0 ? ROOT_SLICE : `${slice.slice(0, at)}.slice`
}

/** What cannot be in the name of a unit is there by its bytes, as systemd-escape(1) has it. */
const escapeName = (name: string): string =>
  name.replace(/[^A-Za-z0-9:_.\\@-]/gu, letter =>
    Array.from(encodeUtf8(letter), byte => `\\x${byte.toString(16).padStart(2, '0')}`).join(''),
  )

/** Names that the kernel would take for a file of the cgroup above, which systemd marks. */
const files =
  /^(?:[_.]|cgroup\.|(?:notify_on_release|release_agent|tasks)$|(?:cpu|cpuacct|cpuset|io|blkio|memory|devices|pids|bpf-[a-z-]+)\.)/

/** The name of a unit's directory. */
const directoryName = (unit: string): string => (files.test(unit) ? `_${unit}` : unit)

/** The unit whose cgroup a directory is, or is right below, and what is below it; `undefined` where it is none's. */
export function unitOfDirectory(directory: string): { readonly name: string; readonly sub: string } | undefined {
  const [, name, sub = ''] = /\/_?([^/]+\.scope|[^/]+\.slice(?=$))(?:\/([^/]+))?$/s.exec(directory) ?? []
  return name === undefined ? undefined : { name, sub }
}
