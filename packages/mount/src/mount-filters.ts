import type { MountInfo } from './mount-info.js'

/** `true` keeps a mount, `false` passes it over, `'last'` keeps it and ends the reading. */
export interface MountFilter {
  (mount: MountInfo): boolean | 'last'
  /** What the line of every mount that it keeps has in it, as the kernel writes it: lines without it are not parsed. Default: nothing. */
  readonly needle?: string
}

/** Those at `path` or below it. */
export function atOrBelow(path: string): MountFilter {
  const prefix = path.endsWith('/') ? path : `${path}/`
  return withNeedle(` ${plain(path)}`, ({ mountPoint }) => mountPoint === path || mountPoint.startsWith(prefix))
}

/** The first of the list at exactly `path`. Where several are, {@link seenAt} tells which one hides the others. */
export function firstAt(path: string): MountFilter {
  const start = plain(path)
  const needle = start === path ? ` ${path} ` : ` ${start}`
  return withNeedle(needle, ({ mountPoint }) => (mountPoint === path ? 'last' : false))
}

/** Those that `path` lies on or below: its parents, and one at itself. */
export function parentsOf(path: string): MountFilter {
  return ({ mountPoint }) =>
    mountPoint === path || path.startsWith(mountPoint.endsWith('/') ? mountPoint : `${mountPoint}/`)
}

/** Those of these types of file system. */
export function ofType(...types: readonly string[]): MountFilter {
  return ({ type }) => types.includes(type)
}

/** What a path begins with that the kernel writes as it is: other characters it escapes, or they stand for bytes that are no text. */
function plain(path: string): string {
  return path.slice(0, path.search(/[^!-~]|[\\#]|$/))
}

function withNeedle(needle: string, filter: MountFilter): MountFilter {
  return Object.assign(filter, { needle })
}
