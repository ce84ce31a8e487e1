import { parseLabel } from '@libcontainer/apparmor'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseProfiles } from '../src/status.js'

test('AA-07 labels as the kernel tells them', () => {
  for (const [line, label] of [
    ['unconfined\n', { text: 'unconfined', confined: false, mode: undefined, profiles: [{ name: 'unconfined' }] }],
    ['docker-default (enforce)\n', { confined: true, mode: 'enforce', profiles: [{ name: 'docker-default' }] }],
    ['/usr/bin/my (own) prog (complain)', { mode: 'complain', profiles: [{ name: '/usr/bin/my (own) prog' }] }],
    ['a//&b//child (mixed)', { text: 'a//&b//child', profiles: [{ name: 'a' }, { name: 'b//child' }] }],
    [':ns://inner (enforce)\0', { profiles: [{ namespace: 'ns', name: 'inner' }] }],
    [
      'outer//&:ns:unconfined (enforce)',
      { confined: true, profiles: [{ name: 'outer' }, { namespace: 'ns', name: 'unconfined' }] },
    ],
  ] as const)
    expect(parseLabel(line), line).toMatchObject(label)
})

test('any label keeps its text', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), text => {
      const label = parseLabel(`${text} (enforce)`)
      expect(label.text).toBe(text)
      expect(label.profiles.length).toBe(text.split('//&').length)
    }),
  )
})

test('AA-07 the list of profiles: a name may have what stands around modes', () => {
  expect(parseProfiles('docker-default (enforce)\n/usr/bin/a (b) c (complain)\nx//null-y (unconfined)\n')).toEqual([
    { name: 'docker-default', mode: 'enforce' },
    { name: '/usr/bin/a (b) c', mode: 'complain' },
    { name: 'x//null-y', mode: 'unconfined' },
  ])
  expect(parseProfiles('')).toEqual([])
})
