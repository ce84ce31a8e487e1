import {
  contains,
  defaultContexts,
  dominates,
  formatContext,
  formatLevel,
  formatMountLabel,
  formatRange,
  glbLub,
  parseContainerContexts,
  parseContext,
  parseDenial,
  parseLabelOptions,
  parseRange,
  parseSeusers,
} from '@libcontainer/selinux'
import { answer, hold, same, textOf } from '../support/oracles.js'

/** Contexts, levels and options as configs have them, files of a policy, and what the kernel's log tells of SELinux. */
export function fuzz(data: Uint8Array): void {
  const text = textOf(data)
  const lines = text.split('\n')
  const context = answer(() => parseContext(text))
  if (context !== undefined) {
    same(formatContext(context), text, 'a context written again')
    const option = formatMountLabel('', text)
    hold(option === `context="${text}"` && option.split('"').length === 3, 'an option that ends early')
  }
  const ranges = lines.flatMap(line => answer(() => parseRange(line)) ?? [])
  for (const range of ranges) {
    same(parseRange(formatRange(range)), range, 'a range written and read again')
    hold(
      dominates(range.high, range.low) && contains(range, range.low) && contains(range, range.high),
      'a range that does not hold its ends',
    )
    for (const other of ranges) {
      const shared = glbLub(range, other)
      same(shared, glbLub(other, range), 'what two share is the same for both')
      if (shared === undefined) continue
      for (const one of [range, other])
        hold(dominates({ ...one.high, sensitivity: 1e9 }, shared.high), 'categories that one has not')
      hold(formatLevel(shared.low).length > 1, 'a level without text')
    }
  }
  const options = answer(() => parseLabelOptions(lines))
  if (options !== undefined) formatContext({ user: 'u', role: 'r', type: 't', ...options.process })
  for (const value of parseContainerContexts(text).all.values()) hold(!value.includes('\n'), 'a value of two lines')
  const user = answer(() => parseSeusers(text, lines[0] ?? ''))
  if (user !== undefined) hold(user.user !== '' && !user.user.includes(':'), 'no user')
  answer(() => defaultContexts(text, { user: 'u', level: 's0', from: 'u:system_r:sshd_t:s0' }))
  for (const line of lines) {
    const denial = parseDenial(line)
    if (denial !== undefined) hold(denial.permissions.length > 0 && denial.objectClass !== '', 'a denial of nothing')
  }
}

const seed = (...lines: string[]): Uint8Array => new TextEncoder().encode(lines.join('\n'))

export function seeds(): Uint8Array[] {
  return [
    seed('system_u:object_r:container_file_t:s0:c1,c2'),
    seed('s0-s15:c0.c1023', 's0:c1,c5.c9', 's3:c2-s7:c0.c5', 's0'),
    seed('user:system_u', 'label:type:container_t', 'level=s0:c1,c2', 'filetype:x_t', 'disable'),
    seed('# comment', 'process = "system_u:system_r:container_t:s0"', "file='a:b:c'", 'ro_file=x'),
    seed('root:root:s0-s0:c0.c1023', '%wheel:staff_u:s0', '__default__:user_u:s0'),
    seed('system_r:sshd_t:s0\tuser_r:user_t:s0 staff_r:staff_t:s0'),
    seed(
      'audit: type=1400 audit(1.2:3): avc:  denied  { read write } for  pid=7 comm="cat" name="x" dev="vda" ino=9 scontext=u:r:a_t:s0 tcontext=u:r:b_t:s0:c1 tclass=file permissive=0',
    ),
  ]
}
