import { checkId } from '@libcontainer/container'
import { cleanPath, knownMountOptions, parseMountOptions } from '@libcontainer/mount'
import { formatText, parseText, type TextMasks } from '../../packages/capabilities/src/text.js'
import { parseDuration as containerDuration } from '../../packages/lcrun/src/duration.js'
import { parseMemorySize } from '../../packages/lcrun/src/memory-size.js'
import { answer, hold, same, textOf } from '../support/oracles.js'

const SOME: readonly [string, bigint][] = [
  ['cap_chown', 0n],
  ['cap_kill', 5n],
  ['cap_sys_admin', 21n],
]

const flagsOf = ({ effective, inheritable, permitted }: TextMasks, bit: bigint): string =>
  (
    [
      ['e', effective],
      ['i', inheritable],
      ['p', permitted],
    ] as const
  )
    .filter(([, mask]) => (mask >> bit) & 1n)
    .map(([letter]) => letter)
    .join('')

/** What cap_from_text(3) says of one capability: clause after clause, letter by letter. */
function plainly(text: string, name: string): string {
  let flags = new Set<string>()
  for (const clause of text.toLowerCase().split(/[ \t\n\r]+/)) {
    const names = /^[^=+-]*/.exec(clause)![0]
    if (names !== '' && names !== 'all' && !names.split(',').some(each => each === name || `cap_${each}` === name))
      continue
    for (const [action] of clause.matchAll(/[=+-][eip]*/g)) {
      if (action[0] === '=') flags = new Set()
      for (const letter of action.slice(1)) action[0] === '-' ? flags.delete(letter) : flags.add(letter)
    }
  }
  return [...flags].sort().join('')
}

/** What people and engines write by hand: options of mounts, capabilities as libcap writes them, sizes, durations, paths and ids. */
export function fuzz(data: Uint8Array): void {
  const text = textOf(data)
  const words = text.split(',')
  const options = answer(() => parseMountOptions(words))
  if (options !== undefined) {
    hold((options.flags & options.cleared) === 0, 'a flag both set and cleared')
    // Without its quotes, data can look like a word of ours.
    const data = options.data.filter(text => !knownMountOptions.includes(text) && !/^r?idmap=/.test(text))
    same(answer(() => parseMountOptions(data))?.data, data, 'data of a file system')
  }
  const masks = answer(() => parseText(text))
  if (masks !== undefined) {
    same(parseText(formatText(masks)), masks, 'capabilities written and read again')
    for (const [name, bit] of SOME) same(flagsOf(masks, bit), plainly(text, name), `the flags of ${name}`)
  }
  const size = answer(() => parseMemorySize('memory', text))
  if (size !== undefined) hold(typeof size !== 'number' || size >= -1, `a size of ${size}`)
  const duration = answer(() => containerDuration('interval', text))
  if (duration !== undefined) hold(duration >= 0 && !Number.isNaN(duration), `a duration of ${duration}`)
  const path = answer(() => cleanPath(text))
  if (path !== undefined) {
    same(cleanPath(path), path, 'a clean path cleaned')
    hold(!path.split('/').includes('..') || !text.startsWith('/'), `a path that climbs: ${path}`)
  }
  if (answer(() => checkId(text) ?? true, 'InvalidIdFormat'))
    hold(!/[/\0]|^\.\.?$/.test(text) && text !== '', `an id that is a path: ${text}`)
}

export function seeds(): string[] {
  return [
    'ro,nosuid,size=64k,mode=755',
    'rbind,rprivate,rro,ridmap',
    'a="b,c",d',
    '=ep cap_sys_admin-ep',
    'all=p cap_chown,cap_kill+ei',
    '=p cap_kill=e cap_chown=i+e-e',
    '64M',
    '1h30m',
    '/a/../b//c/.',
    'demo-1_2.3',
  ]
}
