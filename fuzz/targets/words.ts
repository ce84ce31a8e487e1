import { checkId } from '@libcontainer/container'
import { cleanPath, knownMountOptions, parseMountOptions } from '@libcontainer/mount'
import { formatText, parseText } from '../../packages/capabilities/src/text.js'
import { parseDuration as containerDuration } from '../../packages/lcrun/src/duration.js'
import { parseMemorySize } from '../../packages/lcrun/src/memory-size.js'
import { answer, hold, same, textOf } from '../support/oracles.js'

/** What people and engines write by hand: options of mounts, capabilities as libcap writes them, sizes, durations, paths and ids. */
export function fuzz(data: Uint8Array): void {
  const text = textOf(data)
  const words = text.split(',')
  const options = answer(() => parseMountOptions(words))
  if (options !== undefined) {
    hold((options.flags & options.cleared) === 0, 'a flag both set and cleared')
    const data = options.data.filter(text => !knownMountOptions.includes(text))
    same(answer(() => parseMountOptions(data))?.data, data, 'data of a file system')
  }
  const masks = answer(() => parseText(text))
  if (masks !== undefined) same(parseText(formatText(masks)), masks, 'capabilities written and read again')
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
    '64M',
    '1h30m',
    '/a/../b//c/.',
    'demo-1_2.3',
  ]
}
