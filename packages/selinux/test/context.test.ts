import {
  type Context,
  formatContext,
  formatMountLabel,
  getFileLabel,
  labelStep,
  type MountLabelKind,
  parseContainerContexts,
  parseContext,
  setFileLabel,
} from '@libcontainer/selinux'
import fc from 'fast-check'
import { expect, test } from 'vitest'

test('SE-05 a context in its parts, and back', () => {
  expect(parseContext('system_u:object_r:container_file_t:s0:c1,c2')).toEqual({
    user: 'system_u',
    role: 'object_r',
    type: 'container_file_t',
    level: 's0:c1,c2',
  })
  expect(parseContext('u:r:t')).toEqual({ user: 'u', role: 'r', type: 't' })
  expect(formatContext({ user: 'u', role: 'r', type: 't', level: 's0-s0:c0.c1023' })).toBe('u:r:t:s0-s0:c0.c1023')
  expect(formatContext({ user: 'u', role: 'r', type: 't' })).toBe('u:r:t')
})

test('SE-05 too few parts, empty ones and what would end early are refused by field and value', () => {
  for (const text of [
    '',
    'u',
    'u:r',
    ':r:t',
    'u::t',
    'u:r:',
    'u:r:t:',
    'u:r:t t',
    'u:r:t\n',
    'u:r:t"',
    `u:r:${'t'.repeat(5000)}`,
  ])
    expect(() => parseContext(text, 'processLabel'), text).toThrow(/^processLabel: must /)
  for (const text of ['u:r:t\0', 7, null, undefined, '\ud800:r:t'])
    expect(() => parseContext(text as string), String(text)).toThrow(/^label: must /)
  const whole = { user: 'u', role: 'r', type: 't' }
  for (const [name, part] of [
    ['user', 'a:b'],
    ['role', ''],
    ['type', 'a b'],
    ['type', undefined],
    ['level', '"'],
  ] as const)
    expect(() => formatContext({ ...whole, [name]: part } as Context), name).toThrow(new RegExp(`^context.${name}: `))
})

test('SE-05 what is read is what was written', () => {
  const part = fc.stringMatching(/^[a-zA-Z0-9_.-]+$/)
  const context = fc.record(
    { user: part, role: part, type: part, level: fc.stringMatching(/^[a-z0-9:,.-]+$/) },
    { requiredKeys: ['user', 'role', 'type'] },
  )
  fc.assert(
    fc.property(context, given => {
      expect(parseContext(formatContext(given))).toEqual(given)
    }),
  )
  fc.assert(
    fc.property(fc.string(), text => {
      try {
        expect(formatContext(parseContext(text))).toBe(text)
      } catch (error) {
        expect(error).toMatchObject({ name: 'ConfigInvalid', field: 'label' })
      }
    }),
  )
})

test('SE-10 a mount’s data with a label, of every kind', () => {
  const label = 'u:r:t:s0:c1,c2'
  expect(formatMountLabel('', label)).toBe(`context="${label}"`)
  expect(formatMountLabel('mode=755,size=1m', label)).toBe(`mode=755,size=1m,context="${label}"`)
  for (const kind of ['context', 'fscontext', 'defcontext', 'rootcontext'] as const)
    expect(formatMountLabel('', label, kind)).toBe(`${kind}="${label}"`)
  expect([formatMountLabel('', ''), formatMountLabel('size=1m', '')]).toEqual(['', 'size=1m'])
  expect(() => formatMountLabel('', label, 'seclabel' as MountLabelKind)).toThrow(/^kind: must be one of context, /)
  // Nobody adds an option of his own.
  expect(() => formatMountLabel('', 'u:r:t:s0",exec,suid,context="u:r:t:s0')).toThrow(/^label: /)
})

test('SE-07 the policy’s contexts for containers: quotes, comments, and names that it has more', () => {
  const text = [
    '# process = "u:r:commented:s0"',
    '; file = "u:r:commented:s0"',
    'process = "system_u:system_r:container_t:s0"',
    "  file='system_u:object_r:container_file_t:s0'  ",
    'ro_file =system_u:object_r:container_ro_file_t:s0',
    'kvm_process = "system_u:system_r:container_kvm_t:s0"',
    'init_process = "system_u:system_r:container_init_t:s0"',
    'content = "system_u:object_r:virt_var_lib_t:s0"',
    'no assignment',
    '= "nothing"',
    'broken = "open',
  ].join('\n')
  expect(parseContainerContexts(text)).toEqual({
    process: 'system_u:system_r:container_t:s0',
    file: 'system_u:object_r:container_file_t:s0',
    roFile: 'system_u:object_r:container_ro_file_t:s0',
    kvmProcess: 'system_u:system_r:container_kvm_t:s0',
    initProcess: 'system_u:system_r:container_init_t:s0',
    all: expect.any(Map),
  })
  const { all } = parseContainerContexts(text)
  expect([all.get('content'), all.get('broken'), all.size]).toEqual(['system_u:object_r:virt_var_lib_t:s0', '"open', 7])
  expect(parseContainerContexts('').process).toBeUndefined()
})

test('SE-16 SE-17 the label of what is executed, and that of keys, are steps that write it by a verified procfs', () => {
  expect(labelStep('exec', 'u:r:t:s0')).toMatchObject({
    op: 'writeLabel',
    args: [{ slot: 'labels' }, 'exec', 'u:r:t:s0'],
    about: 'execute under the label u:r:t:s0',
    path: '/proc/thread-self/attr/exec',
    hints: { EINVAL: expect.stringContaining('no such context'), EACCES: expect.any(String) },
  })
  expect(labelStep('keycreate', 'u:r:t:s0').args.slice(1)).toEqual(['keycreate', 'u:r:t:s0'])
  expect(labelStep('keycreate', '').args.slice(1)).toEqual(['keycreate', ''])
  expect(() => labelStep('exec', 'u:r', 'process.selinuxLabel')).toThrow(
    /^process.selinuxLabel: must be user:role:type/,
  )
})

test('SE-11 what is no label, and no file, is refused before anything is touched', async () => {
  await expect(setFileLabel('/nowhere/at/all', 'x')).rejects.toThrow(/^label: must be user:role:type/)
  await expect(setFileLabel('', 'u:r:t', { whereOff: true })).rejects.toThrow(/^path: must name a file/)
  await expect(getFileLabel('/nowhere/at/all')).rejects.toMatchObject({ code: 'ENOENT' })
})
