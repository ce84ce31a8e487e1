import { type Arch, architectureOf } from './architectures.js'
import { common } from './tables/common.js'

/** The system calls of an architecture, ascending. */
export interface SyscallTable {
  readonly names: readonly string[]
  /** The number of each name, with the architecture's base. */
  readonly numbers: readonly number[]
  /** Where each name stands in the two lists; aliases too. */
  readonly positions: ReadonlyMap<string, number>
}

const tables = new Map<Arch, SyscallTable>()

/** The table of `arch`, read from its text when it is first asked for. */
export function syscallTable(arch: Arch): SyscallTable {
  let table = tables.get(arch)
  if (table === undefined) {
    const { table: text, base } = architectureOf(arch)
    table = readTable(text, base)
    tables.set(arch, table)
  }
  return table
}

/** The number of a system call, or undefined where `arch` has none of that name. */
export function syscallNumber(arch: Arch, name: string): number | undefined {
  const { positions, numbers } = syscallTable(arch)
  const at = positions.get(name)
  return at === undefined ? undefined : numbers[at]
}

/** The name of a system call, or undefined for a number that `arch` does not know. */
export function syscallName(arch: Arch, number: number): string | undefined {
  const { names, numbers } = syscallTable(arch)
  return names[numbers.indexOf(number)]
}

/*
 * A number is that of the name behind it, and each further name has the next one. `=name` is a second name for the
 * number before; `@` stands for the numbers that all architectures share, without the `-name`s behind it.
 */
function readTable(text: string, base: number): SyscallTable {
  const names: string[] = []
  const numbers: number[] = []
  const positions = new Map<string, number>()
  const tail = text.indexOf('@')
  let words = text.split(' ')
  if (tail >= 0) {
    const at = words.indexOf('@')
    words = [...words.slice(0, at), ...common.split(' '), ...words.slice(at + 1)]
  }
  let next = base
  for (const word of words) {
    const first = word.charCodeAt(0)
    if (first <= 57 && first >= 48) next = base + Number(word)
    else if (first === 61) positions.set(word.slice(1), names.length - 1)
    else if (first === 45) drop(word.slice(1), names, numbers, positions)
    else {
      positions.set(word, names.length)
      names.push(word)
      numbers.push(next++)
    }
  }
  return { names, numbers, positions }
}

/** Takes out a call of the shared numbers that an architecture has not wired up. */
function drop(name: string, names: string[], numbers: number[], positions: Map<string, number>): void {
  const at = names.indexOf(name)
  names.splice(at, 1)
  numbers.splice(at, 1)
  positions.delete(name)
  for (let i = at; i < names.length; i++) positions.set(names[i]!, i)
}
