import { encodeUtf8 } from '@libcontainer/sys'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkAlias, checkAlternativeName, checkLinkName } from '../src/link/name.js'

const refused = (field: string) => expect.objectContaining({ code: 'ConfigInvalid', field })

test('NL-31 EV-064 a name is 1 to 15 bytes without slash, colon and white space', () => {
  for (const name of ['lo', 'eth0', 'eth0.100', 'br-lan', 'a'.repeat(15), '...', 'größe', '@x', 'v1_2'])
    expect(checkLinkName(name), name).toBe(name)
  for (const name of [
    '',
    'a'.repeat(16),
    'ü'.repeat(8),
    '.',
    '..',
    'a/b',
    'a:b',
    'a b',
    'a\tb',
    'a\n',
    'a\0',
    'à',
    '\ud800',
  ])
    expect(() => checkLinkName(name, 'peer.name'), JSON.stringify(name)).toThrow(refused('peer.name'))
  expect(() => checkLinkName('eth0/1')).toThrow('name: must hold no slash, no colon and no white space (got "eth0/1")')
})

test('NL-30 NL-31 %d is a pattern only where it is asked for', () => {
  expect(checkLinkName('eth%d', 'name', { template: true })).toBe('eth%d')
  for (const name of ['eth%d', '%', 'a%s']) expect(() => checkLinkName(name), name).toThrow(refused('name'))
  for (const name of ['%d%d', 'a%', 'a%s', '%%d', 'a%dd%'])
    expect(() => checkLinkName(name, 'name', { template: true }), name).toThrow(refused('name'))
})

test('NL-31 alternative names and aliases have lengths of their own', () => {
  expect(checkAlternativeName('a'.repeat(127))).toHaveLength(127)
  expect(() => checkAlternativeName('a'.repeat(128))).toThrow(refused('alternativeName'))
  expect(() => checkAlternativeName('a/b')).toThrow(refused('alternativeName'))
  expect(checkAlias('')).toBe('')
  expect(checkAlias('to the / world: here')).toBe('to the / world: here')
  expect(() => checkAlias('a'.repeat(256))).toThrow(refused('alias'))
})

test('NL-31 what passes is what the kernel’s dev_valid_name takes', () => {
  const valid = (name: string) => {
    const bytes = encodeUtf8(name)
    const space = (byte: number) => byte === 32 || byte === 160 || (byte >= 9 && byte <= 13)
    return (
      bytes.length > 0 &&
      bytes.length < 16 &&
      name !== '.' &&
      name !== '..' &&
      !bytes.some(byte => byte === 47 || byte === 58 || byte === 0 || space(byte))
    )
  }
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 17 }).filter(name => !name.includes('%')),
      name => {
        let passed = true
        try {
          checkLinkName(name)
        } catch {
          passed = false
        }
        expect(passed).toBe(valid(name))
      },
    ),
    { numRuns: 2000 },
  )
})
