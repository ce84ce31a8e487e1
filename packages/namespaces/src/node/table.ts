import { visibleJson, visibleLine } from '@libcontainer/sys'
import type { HostNamespace } from '../list.js'

const HEADINGS = ['KIND', 'NS', 'PROCS', 'PID', 'UID', 'OWNER', 'COMMAND'] as const
/** Words are to the left, numbers to the right. */
const LEFT = new Set([0, 6])

/** A table for people. Pure. */
export function renderTable(namespaces: readonly HostNamespace[]): string {
  const rows = [HEADINGS, ...namespaces.map(cellsOf)]
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  return rows
    .map(row =>
      row
        .map((cell, column) => (LEFT.has(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
        .join('  ')
        .trimEnd(),
    )
    .map(line => `${line}\n`)
    .join('')
}

function cellsOf({ kind, inode, processes, pid, uid, ownerUid, command, paths }: HostNamespace): string[] {
  const what = [...(command === undefined ? [] : [command]), ...paths].map(visibleLine).join('  ')
  const numbers = [processes, pid, uid, ownerUid].map(value => (value === undefined ? '-' : String(value)))
  return [kind, String(inode), ...numbers, what]
}

/** The same for programs. Pure. */
export function renderJson(namespaces: readonly HostNamespace[]): string {
  // Numbers of inodes fit into those of JSON: the kernel's are of 32 bits.
  const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? Number(value) : value)
  return `${visibleJson(JSON.stringify(namespaces, plain, 2))}\n`
}
