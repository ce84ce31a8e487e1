import { explainDenial, parseDenial } from '@libcontainer/selinux'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const line = (more = ''): string =>
  `[  88.3] audit: type=1400 audit(1795435180.083:8): avc:  denied  { read open } for  pid=545 comm="cat" path="/srv/volume/a" dev="vda" ino=4 scontext=system_u:system_r:container_t:s0:c1,c3 tcontext=system_u:object_r:container_file_t:s0:c1,c2 tclass=file permissive=0${more}`

test('a denial of the kernel’s log, by its parts', () => {
  expect(parseDenial(line())).toEqual({
    permissions: ['read', 'open'],
    objectClass: 'file',
    source: 'system_u:system_r:container_t:s0:c1,c3',
    target: 'system_u:object_r:container_file_t:s0:c1,c2',
    permissive: false,
    pid: 545,
    command: 'cat',
    path: '/srv/volume/a',
    fields: expect.objectContaining({ dev: 'vda', ino: '4', tclass: 'file' }),
  })
  expect(parseDenial(line().replace('permissive=0', 'permissive=1'))?.permissive).toBe(true)
  // Of auditd, and before Linux 3.16.
  const audited = line()
    .replace(/^.*audit: type=1400 audit/, 'type=AVC msg=audit')
    .replace(' permissive=0', '')
  expect(parseDenial(audited)).toMatchObject({ pid: 545, permissive: false })
})

test('names with blanks are told in hexadecimal, and numbers are left as they are', () => {
  const told = parseDenial(line().replace('path="/srv/volume/a"', 'name=6120622F63').replace('"cat"', '636174'))
  expect(told).toMatchObject({ path: 'a b/c', command: 'cat' })
  expect(parseDenial(line().replace('ino=4', 'ino=1234'))?.fields.ino).toBe('1234')
})

test('what tells of no denial is none', () => {
  for (const text of [
    '',
    'avc:  denied',
    line().replace('denied', 'granted'),
    line().replace(/scontext=\S+/, ''),
    line().replace('{ read open }', '{ }'),
    'apparmor="DENIED" operation="open" profile="box"',
    'audit: type=1403 audit(1795435096.779:2): auid=4294967295 ses=4294967295 lsm=selinux res=1',
  ])
    expect(parseDenial(text), text).toBeUndefined()
})

test('in a sentence: categories that keep containers apart, or the rule that the policy lacks', () => {
  expect(explainDenial(parseDenial(line())!)).toBe(
    'cat under system_u:system_r:container_t:s0:c1,c3 may not read, open /srv/volume/a under system_u:object_r:container_file_t:s0:c1,c2; ' +
      'it has no part in c2, by which the policy keeps containers apart; files that containers share have the level s0: relabel them by z',
  )
  const signal = line()
    .replace('{ read open }', '{ signal }')
    .replace('tclass=file', 'tclass=process')
    .replace(/ path="[^"]*"/, '')
    .replace('object_r:container_file_t', 'system_r:container_t')
  expect(explainDenial(parseDenial(signal)!)).toMatch(
    / may not signal a process under \S+:container_t:s0:c1,c2; it has no part in c2, by which the policy keeps containers apart$/,
  )
  const unlabelled = line().replace('container_file_t:s0:c1,c2', 'user_tmp_t:s0')
  expect(explainDenial(parseDenial(unlabelled)!)).toMatch(
    /; the rule that allows it: allow container_t user_tmp_t:file \{ read open \};$/,
  )
  const own = signal.replace('s0:c1,c2', 's0:c1,c3').replace('{ signal }', '{ ptrace }')
  expect(explainDenial(parseDenial(own)!)).toMatch(/allow container_t self:process \{ ptrace \};$/)
  const range = line().replace('s0:c1,c2', 's0-s0:c0.c1023')
  expect(explainDenial({ ...parseDenial(range)!, permissive: true })).toMatch(/would not be allowed to .*c0\.c1023/)
  expect(explainDenial({ ...parseDenial(line())!, source: 'odd' })).toMatch(/; one of the labels is no context$/)
})

test('whatever a log has: read or passed over, and explained', () => {
  const word = fc.string({ maxLength: 20 })
  fc.assert(
    fc.property(word, word, word, word, (asked, comm, from, to) => {
      const text = `avc:  denied  { ${asked} } for  comm=${comm} scontext=${from} tcontext=${to} tclass=file`
      const denial = parseDenial(text)
      if (denial !== undefined) expect(explainDenial(denial)).toContain(denial.permissions[0])
    }),
  )
})
