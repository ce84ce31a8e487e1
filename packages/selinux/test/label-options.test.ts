import { defaultContexts, disableSecOpt, dupSecOpt, parseLabelOptions, parseSeusers } from '@libcontainer/selinux'
import { expect, test } from 'vitest'
import { readAssignments } from '../src/assignments.js'

test('SE-08 options of labels: a level and a user are of the files, too', () => {
  expect(parseLabelOptions([])).toEqual({ disable: false, process: {}, file: {} })
  expect(parseLabelOptions(['user:u', 'role:r', 'type:t', 'level:s0:c1,c2', 'filetype:f'])).toEqual({
    disable: false,
    process: { user: 'u', role: 'r', type: 't', level: 's0:c1,c2' },
    file: { user: 'u', level: 's0:c1,c2', type: 'f' },
  })
  expect(parseLabelOptions(['label:type:t', 'label=level:s0', 'type=t']).process).toEqual({ type: 't', level: 's0' })
  expect(parseLabelOptions(['type:t', 'disable']).disable).toBe(true)
})

test('SE-08 what is no option is refused by its place, with those that there are', () => {
  for (const option of [
    '',
    'type',
    'type:',
    'colour:red',
    'enable',
    'disable:x',
    'type:a b',
    'type:a:b',
    'level:high',
    'user:a"b',
    7,
    null,
  ])
    expect(() => parseLabelOptions(['role:r', option as string]), String(option)).toThrow(
      /^options\[1\](\.type|\.user)?: /,
    )
  expect(() => parseLabelOptions(['x'], 'labels')).toThrow(
    /^labels\[0\]: must be disable, or one of user, role, type, level, filetype/,
  )
})

test('SE-13 the options of a label, by which another container gets it', () => {
  expect(dupSecOpt('system_u:system_r:container_t:s0:c1,c2')).toEqual([
    'label:user:system_u',
    'label:role:system_r',
    'label:type:container_t',
    'label:level:s0:c1,c2',
  ])
  expect(dupSecOpt('u:r:t')).toEqual(['label:user:u', 'label:role:r', 'label:type:t'])
  expect([dupSecOpt(''), disableSecOpt()]).toEqual([[], ['label:disable']])
  expect(() => dupSecOpt('kernel')).toThrow(/^label: must be user:role:type/)
  expect(parseLabelOptions(dupSecOpt('u:r:t:s0')).process).toEqual({ user: 'u', role: 'r', type: 't', level: 's0' })
  expect(parseLabelOptions(disableSecOpt()).disable).toBe(true)
})

test('SE-15 who an ordinary user is: his own line, one of a group of his, everybody’s', () => {
  const text =
    '# comment\n\nsystem_u:system_u:s0-s15\nroot:root:s0-s0:c0.c1023\n%wheel:staff_u:s0-s0:c0.c5\nplain:user_u\n__default__:unconfined_u:s0\n'
  const ask = (name: string, groups: string[] = []) => parseSeusers(text, name, groups)
  expect(ask('root', ['wheel'])).toEqual({ user: 'root', level: 's0-s0:c0.c1023' })
  expect(ask('jo', ['users', 'wheel'])).toEqual({ user: 'staff_u', level: 's0-s0:c0.c5' })
  expect(ask('jo')).toEqual({ user: 'unconfined_u', level: 's0' })
  expect(ask('plain')).toEqual({ user: 'user_u', level: undefined })
  expect(parseSeusers('root:root:s0', 'jo')).toBeUndefined()
  for (const line of ['root', ':u:s0', 'root::s0'])
    expect(() => parseSeusers(line, 'x')).toThrow(/^seusers line 1: must be/)
})

test('SE-15 the contexts that a login begins with, by who logs in', () => {
  const text = [
    '#system_r:local_login_t:s0 user_r:commented_t:s0',
    'system_r:local_login_t:s0  user_r:user_t:s0 staff_r:staff_t:s0',
    'system_r:sshd_t:s0\tuser_r:ssh_user_t:s0 broken',
  ].join('\n')
  const ask = (from: string, level?: string) => defaultContexts(text, { user: 'user_u', level, from })
  expect(ask('system_u:system_r:local_login_t:s0', 's0:c1')).toEqual([
    'user_u:user_r:user_t:s0:c1',
    'user_u:staff_r:staff_t:s0:c1',
  ])
  expect(ask('system_u:system_r:sshd_t:s0')).toEqual(['user_u:user_r:ssh_user_t'])
  expect(ask('system_u:system_r:cron_t:s0')).toEqual([])
})

test('SE-02 SE-07 assignments of the policy’s files', () => {
  const found = readAssignments(
    'SELINUX=enforcing\n# SELINUX=disabled\n\tSELINUXTYPE = "targeted" \nA=\'b\nC=\nC = "d=e"\n',
  )
  expect(Object.fromEntries(found)).toEqual({ SELINUX: 'enforcing', SELINUXTYPE: 'targeted', A: "'b", C: 'd=e' })
})
