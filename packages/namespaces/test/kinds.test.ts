import {
  cloneFlag,
  cloneFlags,
  flagsOf,
  getNamespace,
  getNamespaceFlags,
  kindsOf,
  NamespaceSet,
  namespaceKind,
  namespaceKinds,
  namespacePath,
  ociName,
} from '@libcontainer/namespaces'
import { expect, test } from 'vitest'

test('NS-01 each kind has its file, its flag and its OCI word', () => {
  const table = namespaceKinds.map(kind => [kind, cloneFlag(kind), ociName(kind)])
  expect(table).toEqual([
    ['user', 0x10000000, 'user'],
    ['ipc', 0x08000000, 'ipc'],
    ['uts', 0x04000000, 'uts'],
    ['net', 0x40000000, 'network'],
    ['pid', 0x20000000, 'pid'],
    ['mnt', 0x00020000, 'mount'],
    ['cgroup', 0x02000000, 'cgroup'],
    ['time', 0x00000080, 'time'],
  ])
  for (const kind of namespaceKinds) {
    expect(namespaceKind(kind)).toBe(kind)
    expect(namespaceKind(ociName(kind))).toBe(kind)
  }
  expect(namespaceKind('CLONE_NEWNS')).toBe('mnt')
  expect(namespaceKind('NEWCGROUP')).toBe('cgroup')
  for (const word of ['', 'MNT', 'newns', '__proto__', 'constructor']) expect(namespaceKind(word)).toBeUndefined()
})

test('NS-02 the user namespace comes first', () => {
  expect(namespaceKinds[0]).toBe('user')
  expect(new Set(namespaceKinds).size).toBe(8)
})

test('NS-04 a set adds, replaces, removes and tells new from joined', () => {
  const set = new NamespaceSet([{ kind: 'net' }, { kind: 'pid', path: '/proc/1/ns/pid' }])
  expect(set.contains('net')).toBe(true)
  expect(set.isPrivate('net')).toBe(true)
  expect(set.isPrivate('pid')).toBe(false)
  expect(set.isPrivate('uts')).toBe(false)
  expect(set.pathOf('pid')).toBe('/proc/1/ns/pid')
  expect(set.cloneFlags()).toBe(0x40000000)

  set.add('net', '/run/net').add('uts').add('ipc', '')
  expect(set.pathOf('net')).toBe('/run/net')
  expect(set.isPrivate('ipc')).toBe(true)
  expect(cloneFlags(set)).toBe(0x04000000 | 0x08000000)
  expect(set.remove('net')).toBe(true)
  expect(set.remove('net')).toBe(false)
  expect(JSON.parse(JSON.stringify(set))).toEqual([
    { kind: 'pid', path: '/proc/1/ns/pid' },
    { kind: 'uts' },
    { kind: 'ipc' },
  ])
})

test('NS-05 a process’s namespace has a path', () => {
  expect(namespacePath('mnt', 42)).toBe('/proc/42/ns/mnt')
  expect(namespacePath('time')).toBe('/proc/self/ns/time')
})

test('NS-06 the list of 2014 is looked up by key', () => {
  expect(getNamespace('NEWNS')).toEqual({ key: 'NEWNS', value: 0x20000, file: 'mnt' })
  expect(getNamespace('NEWFOO')).toBeUndefined()
  expect(getNamespace('toString')).toBeUndefined()
  expect(getNamespaceFlags({ NEWNS: true, NEWNET: false, NEWPID: true, NEWFOO: true })).toBe(0x20000 | 0x20000000)
  expect(getNamespaceFlags(new Map([['NEWNET', true]]))).toBe(0x40000000)
})

test('flags and kinds are each other’s inverse', () => {
  expect(kindsOf(flagsOf(namespaceKinds))).toEqual(namespaceKinds)
  expect(kindsOf(0x100)).toEqual([])
})
