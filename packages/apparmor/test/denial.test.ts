import { explainDenial, parseDenial } from '@libcontainer/apparmor'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const explained = (line: string): string | undefined => {
  const denial = parseDenial(line)
  return denial && explainDenial(denial)
}
const head = 'audit: type=1400 audit(1764000000.123:42): apparmor="DENIED"'

test('a denial of the audit log, in a sentence with the rule that would allow it', () => {
  for (const [rest, sentence] of [
    [
      'operation="open" class="file" profile="box" name="/proc/sysrq-trigger" pid=12 comm="sh" requested_mask="wc" denied_mask="wc" fsuid=0 ouid=0',
      'sh under box may not write and create /proc/sysrq-trigger; the rule that allows it: /proc/sysrq-trigger w,',
    ],
    [
      'operation="capable" profile="box" pid=12 comm="mount" capability=21  capname="sys_admin"',
      'mount under box may not use the capability sys_admin; the rule that allows it: capability sys_admin,',
    ],
    [
      'operation="mount" info="failed mntpnt match" error=-13 profile="box" name="/tmp/" pid=12 comm="mount" fstype="tmpfs" srcname="none" flags="rw, nosuid"',
      'mount under box may not mount on /tmp/; the rule that allows it: mount fstype=tmpfs options=(rw,nosuid) none -> /tmp/,',
    ],
    [
      'operation="ptrace" profile="box" pid=12 comm="gdb" requested_mask="trace" denied_mask="trace" peer="unconfined"',
      'gdb under box may not trace processes of unconfined; the rule that allows it: ptrace (trace) peer=unconfined,',
    ],
    [
      'operation="signal" profile="box" pid=12 comm="kill" requested_mask="send" denied_mask="send" signal=term peer="unconfined"',
      'kill under box may not send the signal term (unconfined); the rule that allows it: signal (send) set=(term) peer=unconfined,',
    ],
    [
      'operation="create" profile="box" pid=12 comm="ping" family="inet" sock_type="raw" protocol=1 requested_mask="create" denied_mask="create"',
      'ping under box may not use a socket of inet raw; the rule that allows it: network inet raw,',
    ],
  ])
    expect(explained(`${head} ${rest}`)).toBe(sentence)
})

test('names in hexadecimal are read; what is no denial is none', () => {
  const line = `${head} operation="open" profile="box" name=2F746D702F612062 pid=7 comm="cat" requested_mask="r" denied_mask="r"`
  expect(parseDenial(line)).toMatchObject({ verdict: 'DENIED', name: '/tmp/a b', pid: 7, command: 'cat', denied: 'r' })
  expect(explained(line)).toMatch(/"\/tmp\/a b" r,$/)
  expect(explained(line.replace('DENIED', 'ALLOWED'))).toMatch(/would not be allowed to/)
  for (const text of ['', 'audit: type=1400', 'apparmor="STATUS" operation="profile_load" name="box"'])
    expect(parseDenial(text)).toBeUndefined()
})

test('any line is read without a fault', () => {
  fc.assert(
    fc.property(fc.string(), text => {
      explained(text)
      explained(`${head} operation="open" name=${text}`)
    }),
  )
})
