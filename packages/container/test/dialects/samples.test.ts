import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { type DialectConfig, detectDialect, readConfig, validateShape } from '@libcontainer/container'
import { defaultMounts, knownMountOptions } from '@libcontainer/mount'
import { ConfigInvalid } from '@libcontainer/sys'
import { describe, expect, test } from 'vitest'
import { sampleFolder } from './samples.js'

const read = (path: string): Record<string, unknown> => JSON.parse(readFileSync(`${sampleFolder}/${path}`, 'utf8'))
const filesOf = (folder: string): string[] =>
  readdirSync(`${sampleFolder}/${folder}`)
    .filter(name => name.endsWith('.json'))
    .map(name => (folder === '.' ? name : `${folder}/${name}`))

const classic = ['2014', '2015'].flatMap(filesOf)
const own = filesOf('.')
const oci = filesOf('oci')

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1, -'.json'.length)

function fault(path: string): ConfigInvalid | undefined {
  try {
    readConfig(read(path), { rootfs: '/box' })
  } catch (error) {
    if (error instanceof ConfigInvalid) return error
    throw error
  }
  return undefined
}

describe('each sample says what it is and is sound', () => {
  test.each(own)('SA-08 %s is in our own words', path => {
    expect(detectDialect(read(path))).toBe('own')
    const { config, process } = readConfig(read(path))
    expect(Object.keys(process)).toContain('args')
    const problems = validateShape({ ...config, rootfs: '/box' }).map(({ field }) => field)
    expect(problems).toEqual([])
  })

  test.each(classic)('SA-08 %s is of its year', path => {
    const year = path.slice(0, 4)
    expect(detectDialect(read(path))).toBe(year)
    const { config, warnings } = readConfig(read(path), { rootfs: '/box' })
    expect(validateShape({ ...config, rootfs: '/box' })).toEqual([])
    expect(warnings).toEqual([])
  })

  test('SA-08 the README names every sample', () => {
    const readme = readFileSync(`${sampleFolder}/README.md`, 'utf8')
    for (const path of [...own, ...classic, ...oci]) expect(readme).toContain(`\`${nameOf(path)}`)
  })
})

describe('what cannot be had yet is refused by name', () => {
  test.each(['2014', '2015'])('SA-03 %s/apparmor.json is read', year => {
    expect(readConfig(read(`${year}/apparmor.json`), { rootfs: '/box' }).config.apparmorProfile).toBe('docker-default')
  })

  test.each(['2014', '2015'])('SA-04 %s/selinux.json is read', year => {
    const label = 'system_u:system_r:svirt_lxc_net_t:s0:c164,c475'
    const { config } = readConfig(read(`${year}/selinux.json`), { rootfs: '/box' })
    expect(config).toMatchObject({ selinuxLabel: label, mountLabel: label })
  })

  test.each(['2014', '2015'])('SA-02 SA-05 %s: what the samples of networks say', year => {
    const shared = { type: 'veth', bridge: 'docker0', address: '172.17.0.101/16', mtu: 1500 }
    const own = year === '2014' ? { hostInterfacePrefix: 'veth' } : { name: 'eth0', hostInterfaceName: 'vethnsinit' }
    const of = (name: string) => readConfig(read(`${year}/${name}.json`), { rootfs: '/box' }).config
    expect(of('attach_to_bridge').networks?.at(-1)).toEqual({ ...shared, ...own, gateway: '172.17.42.1' })
    const { networks, routes } = of('route_source_address_selection')
    expect(networks?.at(-1)).toEqual({ ...shared, ...own })
    expect(routes).toEqual([
      { destination: '0.0.0.0/0', source: '172.17.0.101', gateway: '172.17.42.1', interfaceName: 'eth0' },
    ])
  })

  test('SA-09 an idmapped mount is what the file says', () => {
    const { config } = readConfig(read('idmapped-volume.json'))
    expect(config.mounts?.[6]).toMatchObject({ destination: '/data', options: expect.arrayContaining(['idmap']) })
  })

  test.each(oci)('SA-09 %s is left to the package that reads OCI', path => {
    expect(detectDialect(read(path))).toBe('oci')
    expect(fault(path)).toMatchObject({ field: 'ociVersion', message: expect.stringContaining('@libcontainer/oci') })
  })
})

describe('the samples of two dialects mean the same', () => {
  const of = (path: string): DialectConfig => readConfig(read(path), { rootfs: 'rootfs' })

  test('MT-12 a config of 2014 has the mounts that every container has, and its own after them', () => {
    const name = (mounts: readonly { destination: string }[] | undefined) =>
      mounts?.map(({ destination }) => destination)
    const common = name(defaultMounts)!
    expect(common).toEqual(expect.arrayContaining(['/proc', '/sys', '/dev', '/dev/shm', '/dev/pts']))
    // Those that a container has whose config says nothing of mounts.
    expect(of('2014/minimal.json').config.mounts).toBeUndefined()
    const file = read('2014/minimal.json') as { mount_config: object }
    const own = { type: 'bind', source: '/srv', destination: '/mnt' }
    const { config } = readConfig(
      { ...file, mount_config: { ...file.mount_config, mounts: [own] } },
      { rootfs: '/box' },
    )
    expect(name(config.mounts)).toEqual([...common, '/mnt'])
  })

  test('SA-01 minimal.json of 2014', () => {
    const { config, process } = of('2014/minimal.json')
    expect(config).toMatchObject({
      hostname: 'koye',
      rootPropagation: 'rprivate',
      cgroups: { path: 'docker/docker-koye' },
    })
    expect(config.capabilities).toHaveLength(12)
    expect(config.capabilities).not.toContain('CAP_FSETID')
    expect(config.capabilities).not.toContain('CAP_AUDIT_WRITE')
    expect(config.devices).toHaveLength(6)
    expect(new Set(config.namespaces)).toEqual(new Set(['ipc', 'net', 'mnt', 'pid', 'uts']))
    expect(process).toMatchObject({ user: 'daemon', terminal: true })
    expect(config.readonlyPaths).toContain('/sys')
    const ours = of('minimal.json')
    expect(new Set(ours.config.capabilities as string[])).toEqual(new Set(config.capabilities as string[]))
    expect(ours.process.user).toBe('daemon')
  })

  test('SA-01 minimal.json of 2015', () => {
    const { config } = of('2015/minimal.json')
    expect(config).toMatchObject({
      hostname: 'nsinit',
      maskedPaths: ['/proc/kcore'],
      readonlyPaths: ['/proc/sys', '/proc/sysrq-trigger', '/proc/irq', '/proc/bus'],
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1024, hard: 1024 }],
    })
    expect(config.capabilities).toHaveLength(14)
    expect(config.devices?.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['/dev/fuse', '/dev/null', '/dev/random']),
    )
    expect(config.devices).toHaveLength(7)
    const mounts = new Map(config.mounts?.map(({ destination, options }) => [destination, options]))
    expect([...mounts.keys()]).toEqual(['/proc', '/dev', '/dev/pts', '/dev/shm', '/dev/mqueue', '/sys'])
    expect(mounts.get('/sys')).toContain('ro')
  })

  test('SA-06 userns.json', () => {
    const { uidMappings, gidMappings } = of('2015/userns.json').config
    const ours = of('userns.json').config
    expect(uidMappings).toEqual(ours.uidMappings)
    expect(gidMappings).toEqual(ours.gidMappings)
    expect(uidMappings?.at(-1)).toEqual({ containerId: 1001, hostId: 1001, size: 2 ** 31 - 1 - 1000 })
    expect(uidMappings?.reduce((sum, { size }) => sum + size, 0)).toBe(2 ** 31 - 1 - 1000 + 1000)
  })

  test('SA-07 host-pid.json has no pid namespace in any dialect', () => {
    for (const path of ['host-pid.json', '2014/host-pid.json', '2015/host-pid.json']) {
      expect(of(path).config.namespaces).not.toContain('pid')
      expect(of(path).config.namespaces).toContain('mnt')
    }
  })
})

describe('OCI’s shape', () => {
  const namespaces = new Set(['pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup', 'time'])
  interface Oci {
    ociVersion: string
    root: { path: string }
    process: {
      args: string[]
      cwd: string
      env: string[]
      user: { uid: number; gid: number }
      capabilities: Record<string, string[]>
    }
    mounts: { destination: string; type?: string; source?: string; options?: string[] }[]
    hooks?: Record<string, { path: string; args?: string[]; timeout?: number }[]>
    linux: {
      namespaces: { type: string; path?: string }[]
      uidMappings?: Record<string, number>[]
      maskedPaths: string[]
    }
  }

  test.each(oci)('SA-09 %s has what the runtime specification asks for', path => {
    const config = read(path) as unknown as Oci
    expect(config.ociVersion).toMatch(/^\d+\.\d+\.\d+$/)
    const top = 'ociVersion process root hostname domainname mounts hooks annotations linux'.split(' ')
    expect(top).toEqual(expect.arrayContaining(Object.keys(config)))
    expect(config.root.path).toBe('rootfs')
    const { args, cwd, env, user, capabilities } = config.process
    expect(args.length).toBeGreaterThan(0)
    expect(cwd).toMatch(/^\//)
    expect(env.every(entry => /^[A-Z]+=/.test(entry))).toBe(true)
    expect(Number.isInteger(user.uid) && Number.isInteger(user.gid)).toBe(true)
    for (const set of Object.values(capabilities)) expect(set.every(name => name.startsWith('CAP_'))).toBe(true)
    for (const { destination, options = [] } of config.mounts) {
      expect(destination).toMatch(/^\//)
      for (const word of options)
        expect(word.includes('=') || knownMountOptions.includes(word) || word === 'newinstance').toBe(true)
    }
    const kinds = config.linux.namespaces.map(({ type }) => type)
    expect(kinds.every(kind => namespaces.has(kind))).toBe(true)
    expect(new Set(kinds).size).toBe(kinds.length)
    expect(config.linux.uidMappings !== undefined).toBe(kinds.includes('user'))
    for (const map of config.linux.uidMappings ?? [])
      expect(Object.keys(map).sort()).toEqual(['containerID', 'hostID', 'size'])
    for (const [point, hooks] of Object.entries(config.hooks ?? {})) {
      expect(['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop']).toContain(
        point,
      )
      for (const hook of hooks) {
        expect(hook.path).toMatch(/^\//)
        expect(hook.timeout === undefined || hook.timeout > 0).toBe(true)
        if (hook.path === '/bin/sh') expect(existsSync(hook.path)).toBe(true)
      }
    }
  })
})
