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
    'OL-18 OL-19 checkpoint and restore are named and refused, their help too, so that engines see that they are absent',
    host.asks,
    () => {
      using bundle = new Bundle(host)
      for (const args of [
        ['checkpoint', '--help'],
        ['restore', '--help'],
        ['checkpoint', '--image-path', '/nowhere', '--leave-running', bundle.id],
        ['restore', '--bundle', bundle.path, '--image-path', '/nowhere', '-d', bundle.id],
      ])
        expect(bundle.run(args)).toMatchObject({
          status: 1,
          stdout: '',
          stderr: expect.stringContaining('@libcontainer/criu'),
        })
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
