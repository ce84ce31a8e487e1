import { auditFields } from '@libcontainer/sys'
import { type Context, parseContext } from './context.js'

/** Something that SELinux has refused, or would have in permissive mode, as the audit log tells it: a record of type AVC. */
export interface Denial {
  /** What was asked for, and refused: `read`, `open`, `signal`, `transition`, … */
  readonly permissions: readonly string[]
  /** What kind of thing it was to be done to: `file`, `dir`, `process`, `capability`, … */
  readonly objectClass: string
  /** The label of who asked. */
  readonly source: string
  /** The label of what it was to be done to. */
  readonly target: string
  /** Whether it was done all the same. */
  readonly permissive: boolean
  readonly pid?: number | undefined
  /** The name of the process: `comm`. */
  readonly command?: string | undefined
  /** The path, where the kernel knows it; else the last part of it. */
  readonly path?: string | undefined
  /** All that the line has, by its own words. */
  readonly fields: Readonly<Record<string, string>>
}

/** Reads a line of the audit log, or of the kernel's; `undefined` where it tells of nothing that SELinux refused. Pure. */
export function parseDenial(line: string): Denial | undefined {
  const [, asked, rest] = /\bavc:\s+denied\s+\{\s*([^{}]*?)\s*\}\s+for\s(.*)$/s.exec(line) ?? []
  if (asked === undefined || rest === undefined) return undefined
  const fields = auditFields(rest, HEXADECIMAL)
  const { scontext, tcontext, tclass } = fields
  if (asked === '' || scontext === undefined || tcontext === undefined || tclass === undefined) return undefined
  const pid = Number(fields.pid)
  return {
    permissions: asked.split(/\s+/),
    objectClass: tclass,
    source: scontext,
    target: tcontext,
    permissive: fields.permissive === '1',
    pid: fields.pid !== undefined && Number.isInteger(pid) ? pid : undefined,
    command: fields.comm,
    path: fields.path ?? fields.name,
    fields,
  }
}

/** Names, which the kernel tells in hexadecimal where it has to. */
const HEXADECIMAL = new Set(['comm', 'path', 'name', 'exe'])

/**
 * A denial in a sentence, with what would allow it: another level or label, as far as the labels tell, else the rule that the policy does not have. Pure.
 */
export function explainDenial({ permissions, objectClass, source, target, permissive, command, path }: Denial): string {
  const did = permissive ? 'would not be allowed to' : 'may not'
  const what = `${permissions.join(', ')} ${objectClass === 'process' ? 'a process' : (path ?? `a ${objectClass}`)}`
  return `${command ?? 'a process'} under ${source} ${did} ${what} under ${target}; ${remedy()}`

  function remedy(): string {
    const [from, to] = [contextOf(source), contextOf(target)]
    if (from === undefined || to === undefined) return 'one of the labels is no context'
    const rule = `the rule that allows it: allow ${from.type} ${to.type === from.type ? 'self' : to.type}:${objectClass} { ${permissions.join(' ')} };`
    const apart = categoriesOf(to).filter(category => !categoriesOf(from).includes(category))
    if (apart.length === 0) return rule
    const shared = FILES.has(objectClass) ? '; files that containers share have the level s0: relabel them by z' : ''
    return `it has no part in ${apart.join(', ')}, by which the policy keeps containers apart${shared}`
  }
}

const FILES = new Set(['file', 'dir', 'lnk_file', 'chr_file', 'blk_file', 'sock_file', 'fifo_file'])

function contextOf(text: string): Context | undefined {
  try {
    return parseContext(text)
  } catch {
    return undefined
  }
}

/** Of the level that counts, the higher one of a range; a run as it is written. */
const categoriesOf = ({ level = '' }: Context): string[] => {
  const [, categories] = (level.split('-').at(-1) ?? '').split(':')
  return categories === undefined || categories === '' ? [] : categories.split(',')
}
