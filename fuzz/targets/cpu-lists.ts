import { parseList } from '@libcontainer/cgroups'
import { answer, hold, same, textOf } from '../support/oracles.js'

/** Processors and nodes as the kernel lists them: what one character says is bounded, and the numbers are those of the ranges. */
export function fuzz(data: Uint8Array): void {
  const text = textOf(data)
  const numbers = answer(() => parseList(text))
  if (numbers === undefined) return
  hold(numbers.length <= 65536, `${text.length} characters are ${numbers.length} numbers`)
  const sorted = [...new Set(numbers)].sort((a, b) => a - b)
  hold(
    sorted.every(number => Number.isInteger(number) && number >= 0),
    'a processor without a number',
  )
  same([...new Set(parseList(rangesOf(sorted)))], sorted, 'written and read again')
}

/** As the kernel's bitmap_print_to_pagebuf writes it. */
function rangesOf(sorted: readonly number[]): string {
  const ranges: [number, number][] = []
  for (const number of sorted) {
    const last = ranges.at(-1)
    if (last !== undefined && last[1] + 1 === number) last[1] = number
    else ranges.push([number, number])
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',')
}

export function seeds(): string[] {
  return ['0-3,7\n', '', '0', '0-1,3-5,9,11-12', '5-1', '0-999999,0-999999']
}
