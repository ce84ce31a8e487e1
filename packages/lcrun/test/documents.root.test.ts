import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Bundle, either, specOf } from './hosts.js'

describe.each(either)('$name', host => {
  test('OL-16 EV-193 XT-02 spec writes a config that create takes, and writes nothing over', host.needs, () => {
    using bundle = new Bundle(host)
    const directory = bundle.file('new')
    mkdirSync(directory)
    expect(bundle.run(['spec', '--bundle', directory])).toEqual({ status: 0, stdout: '', stderr: '' })
    const text = readFileSync(`${directory}/config.json`, 'utf8')
    expect(text).toMatch(/^\{\n\t"ociVersion": "1\.\d/)
    const spec = JSON.parse(text) as { process: { args: string[] }; linux: object }
    expect(spec.process.args).toEqual(['sh'])
    expect(bundle.run(['spec'], { cwd: directory })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('exists already'),
    })
    expect(readFileSync(`${directory}/config.json`, 'utf8')).toBe(text)
    expect(bundle.run(['spec', '-f', 'other.json', '--rootless'], { cwd: directory })).toMatchObject({ status: 0 })
    const rootless = JSON.parse(readFileSync(`${directory}/other.json`, 'utf8')) as {
      linux: { namespaces: object[]; uidMappings: object[] }
    }
    expect(rootless.linux.namespaces).toContainEqual({ type: 'user' })
    expect(rootless.linux.uidMappings).toHaveLength(1)
    bundle.write({ ...spec, root: specOf([]).root, process: { ...spec.process, terminal: false, args: ['/bin/true'] } })
    expect(bundle.run(['run', bundle.id])).toEqual({ status: 0, stdout: '', stderr: '' })
    expect(bundle.run(['spec', '--bundle', `${directory}/absent`])).toMatchObject({ status: 1 })
  })

  test(
    'OL-17 XT-15 features: the document, the same whatever the state root, with our own annotations as unsafe',
    host.asks,
    () => {
      using bundle = new Bundle(host)
      const { status, stdout, stderr } = bundle.run(['features'])
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      const features = JSON.parse(stdout) as {
        linux: Record<string, unknown>
        potentiallyUnsafeConfigAnnotations: string[]
      }
      expect(features).toMatchObject({
        ociVersionMin: '1.0.0',
        hooks: ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'],
        mountOptions: expect.arrayContaining(['bind', 'ro', 'rro']),
      })
      expect(Object.keys(features.linux)).toEqual(
        expect.arrayContaining([
          ...['namespaces', 'capabilities', 'cgroup', 'seccomp', 'apparmor', 'selinux', 'intelRdt', 'memoryPolicy'],
          ...['mountExtensions', 'netDevices'],
        ]),
      )
      expect(features.linux).toMatchObject({ apparmor: { enabled: true }, selinux: { enabled: true } })
      expect(features.potentiallyUnsafeConfigAnnotations.length).toBeGreaterThan(0)
      expect(existsSync(bundle.stateRoot)).toBe(false)
    },
  )

  test(
    'OL-18 OL-19 EV-188 EV-190 XT-08 flags of checkpoint and restore that mean nothing are refused by name',
    host.asks,
    () => {
      using bundle = new Bundle(host)
      const refused: [readonly string[], RegExp][] = [
        [['--manage-cgroups-mode', 'none'], /--manage-cgroups-mode: must be one of soft, full, strict, ignore/],
        [['--empty-ns', 'user'], /--empty-ns: must be network/],
        [['--network-lock', 'x'], /--network-lock: must be one of iptables, nftables, skip/],
        [['--page-server', 'host'], /--page-server: must be ADDRESS:PORT/],
        [['--page-server', 'host:0'], /port from 1 to 65535/],
        [['--page-server', '::1:70000'], /--page-server: must be ADDRESS:PORT/],
        [['--status-fd', 'x'], /--status-fd: must be the number of an open descriptor/],
      ]
      for (const [flags, why] of refused)
        expect(bundle.run(['checkpoint', ...flags, bundle.id])).toMatchObject({
          status: 1,
          stdout: '',
          stderr: expect.stringMatching(why),
        })
      for (const [flags, why] of [...refused.slice(0, 3), [['--lsm-profile', 'x'], /--lsm-profile: must be/] as const])
        expect(bundle.run(['restore', '--bundle', bundle.path, ...flags, bundle.id])).toMatchObject({
          status: 1,
          stderr: expect.stringMatching(why),
        })
      expect(existsSync(`${bundle.stateRoot}/${bundle.id}`)).toBe(false)
      expect(bundle.run(['checkpoint', bundle.id]).stderr).toMatch(/does not exist/)
    },
  )

  test(
    'OL-18 OL-19 EV-186 a container that does not run is not saved; an image that is none is refused before anything is made',
    host.needs,
    () => {
      using bundle = new Bundle(host, specOf(['/bin/sleep', '1000']))
      const saved = () => bundle.run(['checkpoint', '--image-path', bundle.file('images'), bundle.id])
      expect(bundle.detached(['create', bundle.id])).toMatchObject({ status: 0 })
      expect(saved()).toMatchObject({
        status: 1,
        stderr: `lcrun: cannot checkpoint '${bundle.id}': it is created\nhint: start it first: there is no program yet that could go on\n`,
      })
      expect(bundle.run(['kill', bundle.id, 'KILL'])).toMatchObject({ status: 0 })
      expect(bundle.run(['delete', '--force', bundle.id])).toMatchObject({ status: 0 })
      expect(saved().stderr).toMatch(/does not exist/)
      expect(existsSync(bundle.file('images'))).toBe(false)
      for (const [path, problem] of [
        ['nowhere', 'must be the directory of a dump: ENOENT'],
        ['config.json', 'must be the directory of a dump: ENOTDIR'],
        ['.', 'must hold the images of a dump: inventory.img is not there'],
      ] as const)
        expect(bundle.run(['restore', '--image-path', path, bundle.id])).toEqual({
          status: 1,
          stdout: '',
          stderr: `lcrun: --image-path: ${problem} (got "${path === '.' ? bundle.path : bundle.file(path)}")\n`,
        })
      expect(bundle.left()).toEqual([])
    },
  )

  test('OL-20 init is not listed, and not for use by hand', host.asks, () => {
    using bundle = new Bundle(host)
    expect(bundle.run(['init'])).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('not for use by hand'),
    })
    expect(bundle.run(['--help']).stdout).not.toMatch(/^ +init /m)
  })

  test('XT-12 info tells of runtime and host, for people and as data', host.asks, () => {
    using bundle = new Bundle(host)
    const { status, stdout } = bundle.run(['info'])
    expect(status).toBe(0)
    for (const name of [
      'Version',
      'Kernel',
      'Architecture',
      'Operating system',
      'Cores',
      'Memory',
      'Cgroups',
      'Namespaces',
      'Capabilities',
    ])
      expect(stdout).toMatch(new RegExp(`^${name}\\b`, 'm'))
    const info = JSON.parse(bundle.run(['info', '--json']).stdout) as { memory: number; kernel: { release: string } }
    expect(info.kernel.release).toBe(readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim())
    expect(info.memory).toBeGreaterThan(2 ** 20)
    expect(info).toMatchObject({
      namespaces: { mnt: expect.any(Boolean) },
      capabilities: { CAP_CHOWN: expect.any(Boolean) },
    })
  })

  test('plan prints the steps of a bundle, and does none of them', host.needs, () => {
    using bundle = new Bundle(host)
    const { status, stdout } = bundle.run(['plan', bundle.id])
    expect(status).toBe(0)
    expect(stdout).toMatch(/^STEP +OPERATION +WHAT IT DOES\n/)
    expect(stdout).toContain('mount proc on /proc')
    const { steps } = JSON.parse(bundle.run(['plan', '--json']).stdout) as { steps: { op: string }[] }
    expect(steps.at(-1)).toMatchObject({ op: 'execProgram' })
    expect(bundle.left()).toEqual([])
  })

  test('doctor tells that containers run here', host.needs, () => {
    using bundle = new Bundle(host)
    expect(JSON.parse(bundle.run(['doctor', '--json']).stdout)).toMatchObject({ works: true })
    expect(bundle.run(['doctor']).stdout).toContain('Containers run here')
    expect(bundle.left()).toEqual([])
  })
})
