import {
  type ContainerFile,
  checkFile,
  checkMounts,
  checkRootTmpfs,
  cleanPath,
  fileStep,
  mountOfPath,
  rootTmpfsStep,
} from '@libcontainer/mount'
import { encodeUtf8, nulTerminated, slot } from '@libcontainer/sys'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const refused = (act: () => unknown, field: string): void =>
  expect(act).toThrow(expect.objectContaining({ code: 'ConfigInvalid', field }))

test('BY-03 a file, a link and a directory are one step each, with exact modes and owners', () => {
  const root = slot('root')
  expect(fileStep({ path: '/etc//motd', content: 'hé' })).toMatchObject({
    op: 'putFile',
    args: [root, '/etc/motd', 0o100644, encodeUtf8('hé'), 0, 0],
    about: 'make the file /etc//motd',
  })
  expect(fileStep({ path: '/bin', target: 'usr/bin' }, { root: 7, destination: '/' })).toMatchObject({
    args: [7, '/bin', 0o120000, nulTerminated(['usr/bin']), 0, 0],
    about: 'make the link /bin to usr/bin',
  })
  expect(fileStep({ path: '/x', mode: 0o1700, uid: 3, gid: 4 }).args).toEqual([
    root,
    '/x',
    0o041700,
    encodeUtf8(''),
    3,
    4,
  ])
})

test('BY-03 what is no file is refused by its field', () => {
  const check = (file: unknown) => () => checkFile(file as ContainerFile, 'files[2]')
  for (const sound of [{ path: '/a' }, { path: '/a', content: '' }, { path: '/a', target: '../b', uid: 1 }])
    check(sound)()
  refused(check(null), 'files[2]')
  refused(check({ path: '/a', text: '' }), 'files[2].text')
  for (const path of ['a', '', '/', '/..', '/a\0', 7]) refused(check({ path }), 'files[2].path')
  refused(check({ path: '/a', content: 7 }), 'files[2].content')
  refused(check({ path: '/a', content: 'x'.repeat((1 << 20) + 1) }), 'files[2].content')
  refused(check({ path: '/a', content: '', target: 'b' }), 'files[2].target')
  for (const target of ['', 'a\0']) refused(check({ path: '/a', target }), 'files[2].target')
  refused(check({ path: '/a', target: 'b', mode: 0o777 }), 'files[2].mode')
  for (const mode of [-1, 0o10000, 1.5, '0644']) refused(check({ path: '/a', mode }), 'files[2].mode')
  refused(check({ path: '/a', uid: 0xffff_ffff }), 'files[2].uid')
  refused(check({ path: '/a', gid: -1 }), 'files[2].gid')
})

test('BY-03 BY-02 a root in memory takes options of tmpfs, and no flags of mounts', () => {
  checkRootTmpfs([])
  checkRootTmpfs(['size=16m,mode=700', 'nr_inodes=10'])
  for (const option of ['ro', 'noexec', 'rbind']) refused(() => checkRootTmpfs(['size=1m', option]), 'rootTmpfs')
  refused(() => checkRootTmpfs('size=1m' as never), 'rootTmpfs')
  expect(rootTmpfsStep(['size=1m'], { label: 'a:b:c:s0' }).args).toEqual([
    slot('root'),
    nulTerminated(['size=1m', 'context=a:b:c:s0']),
  ])
})

const name = fc.constantFrom('a', 'b', 'ab')
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map(names => `/${names.join('/')}`)

test('BY-03 the mount that shows a path is the last that holds it, by whole names', () => {
  fc.assert(
    fc.property(fc.array(path, { maxLength: 5 }), path, (destinations, wanted) => {
      const mounts = checkMounts(destinations.map(destination => ({ destination, type: 'tmpfs' })))
      const holding = destinations.map(each => `${wanted}/`.startsWith(`${each}/`))
      expect(mountOfPath(`${wanted}//.`, mounts)).toBe(holding.lastIndexOf(true))
      expect(cleanPath(`${wanted}//.`)).toBe(wanted)
    }),
  )
})
