import { spawnSync } from 'node:child_process'
import { defaultProfile, type ProfileRules, profileText } from '@libcontainer/apparmor'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'

/** What the parser says of a text; it loads nothing. */
function compiled(text: string): string {
  const { status, stderr, stdout } = spawnSync('apparmor_parser', ['-Q', '-K', '-S'], { input: text })
  if (status !== 0) return stderr.toString()
  expect(stdout.length).toBeGreaterThan(50)
  return ''
}

const every: ProfileRules = {
  name: 'every rule',
  imports: ['@{PROC}=/proc/'],
  flags: ['attach_disconnected', 'complain'],
  capabilities: ['CAP_NET_RAW', 'sys_chroot'],
  deniedCapabilities: ['sys_admin'],
  network: [{}, { family: 'inet', type: 'stream' }, { family: 'netlink', deny: true, audit: true }],
  files: [
    { path: '/etc/** ', permissions: 'r' },
    { path: '@{PROC}/sys/**', permissions: 'w', deny: true },
    { path: '/home/*/with space', permissions: 'rwk', owner: true },
    { path: '/bin/*', permissions: 'rix' },
  ],
  mounts: [
    {},
    { fstype: 'tmpfs', options: ['ro', 'nosuid'], source: 'tmpfs', target: '/tmp/' },
    { action: 'umount', target: '/tmp/' },
    { action: 'remount', target: '/', deny: true },
    { action: 'pivot_root' },
  ],
  ptrace: [{}, { access: ['read'], peer: 'other' }],
  signals: [{}, { access: ['send'], signals: ['kill', 'term'], peer: 'every rule' }],
  more: ['unix,'],
}

test('AA-04 the default profile says what a container may not do', () => {
  const text = profileText(defaultProfile('box'))
  for (const line of [
    'include <tunables/global>',
    'profile box flags=(attach_disconnected,mediate_deleted) {',
    '  include <abstractions/base>',
    '  network,',
    '  capability,',
    '  file,',
    '  umount,',
    '  deny mount,',
    '  deny @{PROC}/sysrq-trigger rwklx,',
    '  deny @{PROC}/mem rwklx,',
    '  deny @{PROC}/kmem rwklx,',
    '  deny /sys/firmware/** rwklx,',
    '  ptrace (trace,read,tracedby,readby) peer=box,',
    '  signal (receive) peer=unconfined,',
  ])
    expect(text.split('\n')).toContain(line)
  const bare = profileText(defaultProfile('box', { imports: ['@{PROC}=/proc/'], innerImports: [] }))
  expect(bare).toMatch(/^@\{PROC\}=\/proc\/\nprofile box /)
  expect(bare).not.toContain('include')
})

test('AA-04 the parser takes what is generated, every kind of rule of it', requires('program:apparmor_parser'), () => {
  expect(compiled(profileText(every))).toBe('')
  expect(compiled(profileText(defaultProfile('box')))).toBe('')
  expect(compiled(profileText(defaultProfile('box', { imports: ['@{PROC}=/proc/'], innerImports: [] })))).toBe('')
  expect(compiled(profileText({ name: 'all', mounts: 'all', ptrace: 'all', signals: 'all', files: 'all' }))).toBe('')
  // It is not the test that takes everything.
  expect(compiled('profile box { no such rule }')).toMatch(/syntax error/)
})

test('what would end a rule, or begin another, is refused by its field', () => {
  for (const [rules, field] of [
    [{ name: '' }, 'name'],
    [{ name: '&stacked' }, 'name'],
    [{ name: 'a"b' }, 'name'],
    [{ files: [{ path: '/a" rw, #', permissions: 'r' }] }, 'files[0].path'],
    [{ files: [{ path: '/a\n', permissions: 'r' }] }, 'files[0].path'],
    [{ files: [{ path: '/a', permissions: 'r, capability' }] }, 'files[0].permissions'],
    [{ files: 'none' }, 'files'],
    [{ capabilities: ['net_raw, file'] }, 'capabilities[0]'],
    [{ network: [{ family: 'inet stream' }] }, 'network[0].family'],
    [{ mounts: [{ options: 'ro' }] }, 'mounts[0].options'],
    [{ ptrace: [{ peer: 7 }] }, 'ptrace[0].peer'],
    [{ more: ['file'] }, 'more[0]'],
    [{ more: ['} profile b { file,'] }, 'more[0]'],
    [{ flags: ['complain)'] }, 'flags[0]'],
  ] as const)
    expect(() => profileText({ name: 'box', ...rules } as ProfileRules), JSON.stringify(rules)).toThrow(
      expect.objectContaining({ name: 'ConfigInvalid', field }),
    )
})

test('whatever a path or peer is, it stays in its own rule', () => {
  fc.assert(
    fc.property(fc.string(), text => {
      try {
        const lines = profileText({
          name: 'box',
          files: [{ path: text, permissions: 'r' }],
          ptrace: [{ peer: text }],
        }).split('\n')
        expect(lines.length).toBe(5)
      } catch (error) {
        expect(error).toMatchObject({ name: 'ConfigInvalid' })
      }
    }),
  )
})
