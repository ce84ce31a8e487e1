import { ConfigInvalid } from '@libcontainer/sys'
import { expect, test } from 'vitest'
import { type NamespaceTarget, netnsPath, pathOfNamespace } from '../src/namespace/namespace.js'
import { namedNamespaces } from '../src/namespace/netns.js'

test.each([
  [42, '/proc/42/ns/net'],
  ['blue', '/run/netns/blue'],
  ['/proc/7/ns/net', '/proc/7/ns/net'],
  [{ pid: 42 }, '/proc/42/ns/net'],
  [{ path: '/x/y' }, '/x/y'],
  [{ name: 'a b' }, '/run/netns/a b'],
  [{ fd: 5 }, '/proc/self/fd/5'],
] as const)('NL-22 the namespace %j is at %s', (namespace, path) => {
  expect(pathOfNamespace(namespace)).toBe(path)
})

test.each([
  [0, 'namespace'],
  [-1, 'namespace'],
  [1.5, 'namespace'],
  [2 ** 31, 'namespace'],
  ['', 'namespace'],
  ['..', 'namespace'],
  ['a/b', 'namespace'],
  ['a\0b', 'namespace'],
  ['x'.repeat(256), 'namespace'],
  ['ü'.repeat(128), 'namespace'],
  [`/${'x'.repeat(4095)}`, 'namespace'],
  [null, 'namespace'],
  [true, 'namespace'],
  [{}, 'namespace'],
  [{ pid: 0 }, 'namespace.pid'],
  [{ path: 'x' }, 'namespace.path'],
  [{ name: '.' }, 'namespace.name'],
  [{ name: 5 }, 'namespace.name'],
  [{ fd: -1 }, 'namespace.fd'],
  [{ fd: 'x' }, 'namespace.fd'],
])('NL-22 %j is no namespace, and the error names the field', (namespace, field) => {
  const act = (): string => pathOfNamespace(namespace as NamespaceTarget)
  expect(act).toThrow(ConfigInvalid)
  expect(act).toThrow(expect.objectContaining({ field }))
})

test('a directory of one’s own, and names of 255 bytes', () => {
  expect(netnsPath('x', { directory: '/tmp/a//' })).toBe('/tmp/a/x')
  expect(netnsPath('x'.repeat(255))).toHaveLength('/run/netns/'.length + 255)
  expect(() => netnsPath('x', { directory: 'tmp' })).toThrow(expect.objectContaining({ field: 'directory' }))
})

test('names are told with what is mounted on them, in order; other kinds, other places and left-overs are not taken for one', () => {
  const mountinfo = [
    '30 1 0:4 net:[4026532001] /run/netns/green rw shared:7 - nsfs nsfs rw',
    '31 1 0:4 net:[4026532002] /run/netns/a\\040b rw shared:7 - nsfs nsfs rw',
    // The same, once more, since the directory is a mount of its own.
    '32 1 0:4 net:[4026532001] /run/netns/green rw shared:7 - nsfs nsfs rw',
    '33 1 0:4 uts:[4026532003] /run/netns/uts rw - nsfs nsfs rw',
    '34 1 0:4 net:[4026532004] /run/other/left rw - nsfs nsfs rw',
    '35 1 0:5 / /run/netns rw - tmpfs tmpfs rw',
    '',
  ].join('\n')
  expect(namedNamespaces('/run/netns', ['uts', 'left', 'green', 'a b'], mountinfo)).toEqual([
    { name: 'a b', path: '/run/netns/a b', inode: 4026532002n },
    { name: 'green', path: '/run/netns/green', inode: 4026532001n },
    { name: 'left', path: '/run/netns/left', inode: undefined },
    { name: 'uts', path: '/run/netns/uts', inode: undefined },
  ])
})
