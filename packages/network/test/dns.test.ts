import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hostsText, parseResolvConf, resolvConfText, writeDnsFiles } from '@libcontainer/network'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'

test('a resolv.conf has its three kinds of lines, and is read as it was written', () => {
  const conf = {
    nameservers: ['192.0.2.53', 'fe80::1%eth0'],
    search: ['example.org', 'lab'],
    options: ['ndots:2', 'edns0'],
  }
  const text = 'search example.org lab\nnameserver 192.0.2.53\nnameserver fe80::1%eth0\noptions ndots:2 edns0\n'
  expect(resolvConfText(conf)).toBe(text)
  expect(parseResolvConf(text)).toEqual(conf)
  expect(resolvConfText({})).toBe('')
  expect(parseResolvConf('# nameserver 1.1.1.1\n; x\ndomain a b\nnameserver\t10.0.0.1  \nsortlist x\n')).toEqual({
    nameservers: ['10.0.0.1'],
    search: ['a'],
    options: [],
  })
})

test.each([
  [{ nameservers: ['10.0.0.1\nnameserver 10.0.0.2'] }, /^resolvConf\.nameservers\[0\]/],
  [{ nameservers: ['dns.example.org'] }, /^resolvConf\.nameservers\[0\]/],
  [{ search: ['a b'] }, /^resolvConf\.search\[0\]/],
  [{ search: ['#'] }, /^resolvConf\.search\[0\]/],
  [{ options: ['a\nb'] }, /^resolvConf\.options\[0\]/],
])('no line gets into a resolv.conf by a word: %j', (conf, problem) => {
  expect(() => resolvConfText(conf)).toThrow(problem)
})

test('hosts begins with the loopback; a name that would be two lines is refused', () => {
  expect(hostsText([{ address: '10.0.0.2', names: ['db', 'db.lab'] }])).toBe(
    '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n10.0.0.2\tdb db.lab\n',
  )
  expect(() => hostsText([{ address: '10.0.0.2', names: ['a\n10.0.0.3 b'] }])).toThrow(/^hosts\[0\]\.names\[0\]/)
  expect(() => hostsText([{ address: '10.0.0.2', names: [] }])).toThrow(/^hosts\[0\]\.names: must be a list/)
  expect(() => hostsText([{ address: 'x', names: ['a'] }])).toThrow(/^hosts\[0\]\.address/)
})

test('whatever is in a file, reading a resolv.conf answers, and its addresses are words of it', () => {
  fc.assert(
    fc.property(fc.string(), text => {
      for (const server of parseResolvConf(`nameserver ${text}`).nameservers) expect(text).toContain(server)
    }),
  )
})

test('the files are written into a directory, and none for what was not asked', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'dns-'))
  try {
    const files = await writeDnsFiles(`${directory}/etc`, {
      hostname: 'web',
      resolvConf: { nameservers: ['10.0.0.1'] },
    })
    expect(files).toEqual({
      hosts: `${directory}/etc/hosts`,
      resolvConf: `${directory}/etc/resolv.conf`,
      hostname: `${directory}/etc/hostname`,
    })
    expect(readFileSync(files.hosts, 'utf8')).toContain('127.0.1.1\tweb\n')
    expect(readFileSync(files.resolvConf!, 'utf8')).toBe('nameserver 10.0.0.1\n')
    expect(readFileSync(files.hostname!, 'utf8')).toBe('web\n')
    expect(statSync(files.hosts).mode & 0o777).toBe(0o644)
    expect(await writeDnsFiles(`${directory}/other`, {})).toEqual({ hosts: `${directory}/other/hosts` })
  } finally {
    rmSync(directory, { recursive: true })
  }
})
