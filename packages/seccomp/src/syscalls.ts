import { type Arch, architectureOf } from './architectures.js'
import { common } from './tables/common.js'

/** The system calls of an architecture, ascending. */
export interface SyscallTable {
  readonly names: readonly string[]
  /** The number of each name, with the architecture's base. */
  readonly numbers: readonly number[]
  /** Second names, by the first ones. */
  readonly aliases: ReadonlyMap<string, string>
}

const tables = new Map<Arch, SyscallTable>()
const positions = new Map<Arch, ReadonlyMap<string, number>>()

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
  const { names, numbers, aliases } = syscallTable(arch)
  let places = positions.get(arch)
  if (places === undefined) {
    const found = new Map(names.map((known, i) => [known, i]))
    for (const [first, second] of aliases) found.set(second, found.get(first)!)
    positions.set(arch, found)
    places = found
  }
  const at = places.get(name)
  return at === undefined ? undefined : numbers[at]
}

/** The name of a system call, or undefined for a number that `arch` does not know. */
export function syscallName(arch: Arch, number: number): string | undefined {
  const { names, numbers } = syscallTable(arch)
  return names[numbers.indexOf(number)]
}

/*
 * Each name has the number after that of the name before it, but where a number stands in front. `=name` is a second name
 * for the one before; `/x86:3-9` stands for what x86 has from its 3 to its 9, each as far from the others as there; `@` stands for the numbers that all
 * architectures share, without those of `-name` before it.
 */
function readTable(text: string, base: number): SyscallTable {
  const names: string[] = []
  const numbers: number[] = []
  const aliases = new Map<string, string>()
  const without = new Set<string>()
  let next = base
  const copy = (from: Arch, first: number, last: number): void => {
    const other = syscallTable(from)
    const { base: start } = architectureOf(from)
    other.numbers.forEach((number, i) => {
      if (number < start + first || number > start + last) return
      const name = other.names[i]!
      names.push(name)
      numbers.push(next + number - start - first)
      const alias = other.aliases.get(name)
      if (alias !== undefined) aliases.set(name, alias)
    })
    next += last - first + 1
  }
  const read = (words: readonly string[]): void => {
    for (const word of words) {
      const first = word.charCodeAt(0)
      // Most words: a small letter or an underscore.
      if (first > 64) {
        if (without.size > 0 && without.has(word)) next++
        else {
          names.push(word)
          numbers.push(next++)
        }
      } else if (first >= 48 && first <= 57) next = base + Number(word)
      else if (first === 61) aliases.set(names[names.length - 1]!, word.slice(1))
      else if (first === 45) without.add(word.slice(1))
      else if (first === 47) {
        const [, from, start, end] = /^\/(\w+):(\d+)-(\d+)$/.exec(word)!
        copy(from as Arch, Number(start), Number(end))
      } else {
        read(common.split(' '))
        without.clear()
      }
    }
  }
  read(text.split(' '))
  return { names, numbers, aliases }
}
