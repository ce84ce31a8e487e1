import { planSandbox, type SandboxFacts, type SandboxOptions, sandbox, validateShape } from '@libcontainer/container'
import { expect, test } from 'vitest'
import { ownFilesProblems } from '../src/plan/own-files.js'

/** A machine of the tests' own, whose /bin leads into /usr. */
const facts: SandboxFacts = {
  rootfs: '/run/state',
  uid: 1000,
  gid: 100,
  mountPoints: ['/', '/proc', '/srv', '/srv/data'],
  links: [
    ['/bin', 'usr/bin'],
    ['/old', '/mnt/old'],
    ['/lib', '/usr/lib'],
  ],
  networkFiles: ['/etc/resolv.conf', '/etc/hosts'],
}

const planned = (options: SandboxOptions, more: Partial<SandboxFacts> = {}) =>
  planSandbox(options, { ...facts, ...more })
const refused = (options: unknown, field: string): void => {
  const error = expect.objectContaining({ code: 'ConfigInvalid', field })
  expect(() => planned(options as SandboxOptions)).toThrow(error)
  expect(() => sandbox(options as SandboxOptions)).toThrow(error)
}

test('BY-02 nothing is there but what is said, and no privilege', () => {
  const config = planned({})
  expect(config).toMatchObject({
    rootfs: '/run/state',
    rootTmpfs: ['size=16m'],
    readonlyRootfs: true,
    uidMappings: [{ containerId: 0, hostId: 1000, size: 1 }],
    gidMappings: [{ containerId: 0, hostId: 100, size: 1 }],
    hostname: 'sandbox',
    capabilities: [],
    noNewPrivileges: true,
    parentDeathSignal: 'SIGKILL',
  })
  expect(new Set(config.namespaces)).toEqual(new Set(['mnt', 'pid', 'net', 'ipc', 'uts', 'user', 'cgroup']))
  expect(config.seccomp).toBeUndefined()
  expect(config.mounts!.map(({ destination }) => destination)).toEqual(['/proc', '/dev', '/dev/pts', '/dev/shm'])
  expect(config.mounts!.flatMap(({ options = [] }) => options).join()).not.toContain('gid=')
  expect(config.files!.map(({ path }) => path)).toEqual(['/etc/passwd', '/etc/group'])
  expect([...validateShape(config), ...ownFilesProblems(config)]).toEqual([])
})

test('BY-02 binds without devices and set-user-ID programs, with what is mounted below; links of the top that lead into them', () => {
  const config = planned({
    ro: ['/usr/', { source: '/srv', destination: '/data' }],
    rw: ['/home/me'],
    tmpfs: ['/tmp', '/home'],
    mounts: [{ destination: '/usr/local', type: 'tmpfs', source: 'tmpfs' }],
  })
  const mounts = new Map(config.mounts!.map(({ destination, source, options }) => [destination, [source, options]]))
  expect(mounts.get('/usr')).toEqual(['/usr', ['bind', 'nosuid', 'nodev', 'ro']])
  expect(mounts.get('/data')).toEqual(['/srv', ['rbind', 'rnosuid', 'rnodev', 'rro']])
  expect(mounts.get('/home/me')).toEqual(['/home/me', ['bind', 'nosuid', 'nodev']])
  expect(mounts.get('/tmp')).toEqual(['tmpfs', ['nosuid', 'nodev', 'mode=1777']])
  // What is above is made first, in whatever list it was.
  const at = (path: string): number => [...mounts.keys()].indexOf(path)
  expect(at('/home')).toBeLessThan(at('/home/me'))
  expect(at('/usr')).toBeLessThan(at('/usr/local'))
  expect(config.files!.filter(({ target }) => target)).toEqual([
    { path: '/bin', target: 'usr/bin' },
    { path: '/lib', target: '/usr/lib' },
  ])
  expect(config.files!.find(({ path }) => path === '/etc/passwd')!.content).toContain(':/tmp:')
  expect([...validateShape(config), ...ownFilesProblems(config)]).toEqual([])
})

test('BY-02 who says something himself has it so', () => {
  const config = planned({
    ro: ['/usr', '/etc'],
    files: [{ path: '/bin', target: 'elsewhere' }],
    hostname: 'mine',
    limits: { pids: { max: 7 } },
    config: { capabilities: ['CHOWN'], readonlyRootfs: false },
  })
  expect(config).toMatchObject({ hostname: 'mine', capabilities: ['CHOWN'], readonlyRootfs: false })
  expect(config.cgroups).toEqual({ pids: { max: 7 } })
  expect(config.files!.map(({ path, target }) => [path, target])).toEqual([
    ['/lib', '/usr/lib'],
    ['/bin', 'elsewhere'],
  ])
})

test('BY-02 what is shared with the host, and what is not', () => {
  const shared = planned({ ro: ['/usr'], share: ['net', 'user', 'uts'] })
  expect(shared.namespaces).not.toContain('net')
  expect(shared).not.toHaveProperty('uidMappings')
  expect(shared).not.toHaveProperty('hostname')
  // By which names are looked up.
  expect(shared.mounts!.map(({ source }) => source)).toEqual(expect.arrayContaining(['/etc/resolv.conf', '/etc/hosts']))
  expect(planned({ ro: ['/etc'], share: ['net'] }).mounts!.map(({ source }) => source)).not.toContain('/etc/hosts')
  expect(planned({ unshare: ['pid'] }).namespaces).toEqual(expect.arrayContaining(['mnt', 'pid']))
  expect(planned({ unshare: ['pid'] }).namespaces).toHaveLength(2)
})

test('BY-02 what cannot be meant is refused by its field, before anything is touched', () => {
  refused(null, 'sandbox')
  refused({ rootfs: '/srv' }, 'rootfs')
  refused({ ro: '/usr' }, 'ro')
  refused({ ro: ['usr'] }, 'ro[0]')
  refused({ ro: ['/'] }, 'ro[0]')
  refused({ rw: ['/a', { source: 'b', destination: '/b' }] }, 'rw[1].source')
  refused({ ro: ['/a'], rw: ['/a/'] }, 'rw[0]')
  refused({ tmpfs: ['/tmp', 'x'] }, 'tmpfs[1]')
  refused({ unshare: 'some' }, 'unshare')
  refused({ unshare: ['pids'] }, 'unshare[0]')
  refused({ share: ['net', 'all'] }, 'share[1]')
  refused({ share: ['mnt'] }, 'share')
})
