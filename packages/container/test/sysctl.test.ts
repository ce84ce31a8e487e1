import { type ContainerConfig, type NamespaceRequest, validate, validateShape } from '@libcontainer/container'
import { sysctlPath } from '@libcontainer/init'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../test/support/index.js'

const map = [{ containerId: 0, hostId: 100000, size: 65536 }]
const all: ContainerConfig = {
  rootfs: '/rootfs',
  namespaces: ['mnt', 'pid', 'ipc', 'uts', 'net', 'user'],
  uidMappings: map,
  gidMappings: map,
}

const problems = (sysctl: unknown, namespaces?: readonly NamespaceRequest[]): string[] =>
  validateShape({
    ...(namespaces === undefined ? all : { rootfs: '/rootfs', namespaces }),
    sysctl,
  } as ContainerConfig).map(({ message }) => message)

const owned = {
  ipc: [
    'kernel.msgmax',
    'kernel.msgmnb',
    'kernel.msgmni',
    'kernel.sem',
    'kernel.shmall',
    'kernel.shmmax',
    'kernel.shmmni',
    'kernel.shm_rmid_forced',
    'fs.mqueue.queues_max',
    'fs/mqueue/msg_max',
  ],
  net: ['net.ipv4.ip_forward', 'net.core.somaxconn', 'net/ipv4/conf/eno2.100/rp_filter'],
  uts: ['kernel.domainname'],
  user: ['user.max_user_namespaces'],
} as const

test.each(Object.entries(owned))('VAL-20 EV-053 EV-054 %s: its own keys need its namespace', (kind, keys) => {
  for (const key of keys) {
    expect(problems({ [key]: '1' })).toEqual([])
    const without = (['mnt', 'ipc', 'uts', 'net'] as const).filter(each => each !== kind)
    expect(problems({ [key]: '1' }, without)).toEqual([expect.stringContaining(`belongs to the ${kind} namespace`)])
  }
})

test('EV-051 PP-02 a domainname has at most 64 bytes, as a parameter too', () => {
  expect(problems({ 'kernel.domainname': 'ü'.repeat(32) })).toEqual([])
  expect(problems({ 'kernel/domainname': `${'ü'.repeat(32)}x` })).toEqual([expect.stringContaining('64 bytes')])
})

test('EV-052 the hostname has a field of its own', () => {
  expect(problems({ 'kernel.hostname': 'x' })).toEqual([expect.stringContaining('field hostname')])
  expect(problems({ 'kernel/hostname': 'x' })).toEqual([expect.stringContaining('field hostname')])
})

test.each([
  'vm.swappiness',
  'kernel.pid_max',
  'kernel.core_pattern',
  'kernel.msgmaxx',
  'kernel',
  'fs.file-max',
  'fs.mqueue',
  'fs.mqueues.x',
  'network.x',
  'net',
  'user',
  'debug.x',
  'KERNEL.MSGMAX',
])('EV-055 %s is the whole kernel’s', key => {
  expect(problems({ [key]: '1' })).toEqual([expect.stringContaining('not in a separate kernel namespace')])
})

test.each([
  '',
  '.',
  '..',
  '/',
  '/net/ipv4/ip_forward',
  'net..ipv4',
  'net.ipv4.',
  '.net.ipv4',
  'net/../kernel/core_pattern',
  'net/ipv4/../../kernel/core_pattern',
  'net/./ipv4',
  'net/ipv4/',
  'net.ipv4.\0',
  'net.\ud800',
])('EV-056 the key %j is refused', key => {
  expect(problems({ [key]: '1' }).length).toBe(1)
})

test('EV-056 dots and slashes: the first one says which separates', () => {
  expect(sysctlPath('net.ipv4.conf.all.rp_filter')).toBe('net/ipv4/conf/all/rp_filter')
  expect(sysctlPath('net/ipv4/conf/eno2.100/rp_filter')).toBe('net/ipv4/conf/eno2.100/rp_filter')
  expect(sysctlPath('net.ipv4.conf.eno2/100.rp_filter')).toBe('net/ipv4/conf/eno2.100/rp_filter')
})

test('EV-056 EV-199 values are strings without NUL, and the whole is an object', () => {
  for (const value of [1, null, undefined, ['1'], {}, true, 'a\0b'])
    expect(problems({ 'net.ipv4.ip_forward': value }).length).toBe(1)
  for (const sysctl of [null, 'a=b', ['net.ipv4.ip_forward=1'], 5])
    expect(problems(sysctl)).toEqual([expect.stringContaining('object')])
})

test('EV-056 no key that is accepted leads out of the directories of its namespace', () => {
  const piece = fc.constantFrom(
    'net',
    'ipv4',
    'kernel',
    'fs',
    'mqueue',
    'msgmax',
    '..',
    '.',
    '',
    'x',
    '...',
    '%2e%2e',
    '\\..',
  )
  fc.assert(
    fc.property(
      fc.array(piece, { minLength: 1, maxLength: 6 }),
      fc.array(fc.constantFrom('.', '/'), { minLength: 6, maxLength: 6 }),
      (pieces, separators) => {
        const key = pieces.map((text, i) => text + (i + 1 < pieces.length ? separators[i] : '')).join('')
        if (problems({ [key]: '1' }).length > 0) return
        const path = new URL(`file:///proc/sys/${sysctlPath(key).replaceAll('%', '%25').replaceAll('\\', '%5c')}`)
          .pathname
        expect(path).toMatch(/^\/proc\/sys\/(net\/.|user\/.|fs\/mqueue\/.|kernel\/(msg|sem|shm|domainname))/)
      },
    ),
    { numRuns: 2000 },
  )
})

test('EV-053 a network namespace that is this process’s own after all, by device and inode', async () => {
  using rootfs = temporaryDirectory('sysctl-')
  const sysctl = { 'net.ipv4.ip_forward': '0', 'kernel.msgmax': '1' }
  const joined = (path: string): ContainerConfig => ({
    rootfs: rootfs.path,
    namespaces: ['mnt', 'ipc', { kind: 'net', path }],
    sysctl,
  })
  for (const path of ['/proc/self/ns/net', `/proc/${process.pid}/ns/net`, `/proc/self/task/${process.pid}/ns/net`]) {
    const found = await validate(joined(path))
    expect(found.map(({ field }) => field)).toEqual(["sysctl['net.ipv4.ip_forward']"])
  }
  const ipc = await validate({
    rootfs: rootfs.path,
    namespaces: ['mnt', { kind: 'ipc', path: '/proc/self/ns/ipc' }, 'net'],
    sysctl,
  })
  expect(ipc.map(({ field }) => field)).toEqual(["sysctl['kernel.msgmax']"])
})
