import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { features as capabilityFeatures } from '@libcontainer/capabilities'
import { validateShape } from '@libcontainer/container'
import { networkProblems } from '@libcontainer/network/config'
import {
  exampleSpec,
  featuresDocument,
  inSpecWords,
  parseSpec,
  type Spec,
  systemdCgroup,
  systemdProperties,
  toRootless,
} from '@libcontainer/oci'
import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import { requires, temporaryDirectory } from '../../../test/support/index.js'
import { converted, linuxWith, refusal, specWith } from './support.js'

/** The `config.json` that runc writes. */
function byRunc(...flags: string[]): Spec {
  using bundle = temporaryDirectory('runc-spec-')
  execFileSync('runc', ['spec', ...flags], { cwd: bundle.path })
  return parseSpec(readFileSync(`${bundle.path}/config.json`, 'utf8'))
}

/** What differs by intent: the versions, the name of the runtime, and capabilities that without inheritable ones nobody has. */
const compared = ({ ociVersion: _, hostname: __, ...spec }: Spec): object => ({
  ...spec,
  process: { ...spec.process, capabilities: { ...spec.process!.capabilities, ambient: undefined } },
})

const cgroup2 = existsSync('/sys/fs/cgroup/cgroup.procs')

describe('OC-15 the example', () => {
  test('OC-15 means what runc’s example means', requires('program:runc'), () => {
    expect(compared(exampleSpec({ cgroup2 }))).toEqual(compared(byRunc()))
  })

  test('OC-15 and so does its rootless form', requires('program:runc'), () => {
    const ids = { uid: process.getuid!(), gid: process.getgid!() }
    expect(compared(toRootless(exampleSpec({ cgroup2 }), ids))).toEqual(compared(byRunc('--rootless')))
  })

  test('OC-15 ten masked and five read-only paths, seven mounts, five namespaces, and one more on cgroup v2', () => {
    const { linux, mounts, process, root } = exampleSpec()
    expect(linux!.maskedPaths).toHaveLength(10)
    expect(linux!.readonlyPaths).toHaveLength(5)
    expect(mounts).toHaveLength(7)
    expect(linux!.namespaces!.map(({ type }) => type)).toEqual(['pid', 'network', 'ipc', 'uts', 'mount'])
    expect(exampleSpec({ cgroup2: true }).linux!.namespaces!.at(-1)).toEqual({ type: 'cgroup' })
    expect(process!.rlimits).toEqual([{ type: 'RLIMIT_NOFILE', soft: 1024, hard: 1024 }])
    expect([process!.terminal, root!.readonly]).toEqual([true, true])
  })

  test('OC-15 toRootless: a user namespace in place of the network, /sys bound, no ids in mounts, no limits', () => {
    const { linux, mounts } = toRootless(exampleSpec(), { uid: 1000, gid: 100 })
    expect(linux!.namespaces!.map(({ type }) => type)).toEqual(['pid', 'ipc', 'uts', 'mount', 'user'])
    expect(linux!.uidMappings).toEqual([{ containerID: 0, hostID: 1000, size: 1 }])
    expect(linux!.gidMappings).toEqual([{ containerID: 0, hostID: 100, size: 1 }])
    expect(linux!.resources).toBeUndefined()
    expect(mounts!.find(({ destination }) => destination === '/sys')).toEqual({
      destination: '/sys',
      type: 'none',
      source: '/sys',
      options: ['rbind', 'nosuid', 'noexec', 'nodev', 'ro'],
    })
    expect(mounts!.flatMap(({ options = [] }) => options).filter(option => /^[ug]id=/.test(option))).toEqual([])
    const again = toRootless(toRootless(exampleSpec(), { uid: 1, gid: 2 }), { uid: 1000, gid: 100 })
    expect(again).toEqual(toRootless(exampleSpec(), { uid: 1000, gid: 100 }))
  })

  test('OC-15 both convert to configs that nothing is wrong with', () => {
    for (const spec of [exampleSpec(), toRootless(exampleSpec(), { uid: 1000, gid: 1000 })]) {
      const { config, warnings } = converted(spec)
      expect(validateShape(config).map(String)).toEqual([])
      expect(warnings).toEqual([])
    }
  })

  test('OC-15 what is changed in one example is in no other', () => {
    const first = exampleSpec() as unknown as { mounts: unknown[]; process: { args: string[] } }
    first.mounts.pop()
    first.process.args.push('-c')
    expect(exampleSpec().mounts).toHaveLength(7)
    expect(exampleSpec().process!.args).toEqual(['sh'])
  })
})

describe('OL-17 the features document', () => {
  const document = featuresDocument({ version: '1.2.3' })

  test('OL-17 is right by the official schema', () => {
    const folder = fileURLToPath(new URL('../schema/', import.meta.url))
    const ajv = new Ajv({ strict: false, allErrors: true })
    for (const name of readdirSync(folder).filter(each => each.endsWith('.json'))) {
      const text = readFileSync(folder + name, 'utf8').replaceAll('"#definitions', '"#/definitions')
      const { $schema: _, ...schema } = JSON.parse(text) as Record<string, unknown>
      if (name !== 'config-schema.json') ajv.addSchema(schema, name)
    }
    const verdict = ajv.getSchema('features-schema.json')!
    expect([verdict(JSON.parse(JSON.stringify(document))), verdict.errors]).toEqual([true, null])
    expect(verdict({ ociVersionMin: 1 })).toBe(false)
  })

  test('OL-17 is the same everywhere: no probe of the host is in it', () => {
    expect(featuresDocument({ version: '1.2.3' })).toEqual(document)
    expect(document).toMatchObject({
      ociVersionMin: '1.0.0',
      ociVersionMax: '1.3.0',
      hooks: ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'],
      annotations: { 'org.libcontainer.lcrun.version': '1.2.3' },
      linux: {
        namespaces: ['cgroup', 'ipc', 'mount', 'network', 'pid', 'time', 'user', 'uts'],
        capabilities: capabilityFeatures().capabilities,
        cgroup: { v1: true, v2: true, systemd: true, systemdUser: true, rdma: true },
      },
    })
  })

  test('OL-17 what it names is recognised, and what it denies is refused', () => {
    const { mountOptions, linux, hooks } = document
    for (const option of mountOptions.filter(each => each !== 'remount')) {
      const ids = option.endsWith('idmap') ? [{ containerID: 0, hostID: 1, size: 1 }] : undefined
      const mount =
        option === 'tmpcopyup' || option === 'tmp-overlay'
          ? { destination: '/a', type: option === 'tmpcopyup' ? 'tmpfs' : 'overlay', options: [option] }
          : { destination: '/a', source: '/a', options: ['bind', option], uidMappings: ids, gidMappings: ids }
      const { config } = converted(specWith({ mounts: [mount] }))
      expect([option, validateShape(config).map(String)]).toEqual([option, []])
    }
    for (const type of linux.namespaces) expect(converted(linuxWith({ namespaces: [{ type }] }))).toBeTruthy()
    for (const point of hooks) {
      const { config } = converted(specWith({ hooks: { [point]: [{ path: '/bin/true' }] } }))
      expect(validateShape(config)).toEqual([])
    }
    for (const action of linux.seccomp.actions) {
      const seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mount'], action }] }
      expect(validateShape(converted(linuxWith({ seccomp })).config).map(String)).toEqual([])
    }
    const wide = {
      defaultAction: 'SCMP_ACT_ALLOW',
      architectures: linux.seccomp.archs,
      flags: linux.seccomp.knownFlags,
    }
    expect(validateShape(converted(linuxWith({ seccomp: wide })).config).map(String)).toEqual([])
    for (const op of linux.seccomp.operators) {
      const args = [{ index: 0, value: 1, op }]
      const seccomp = {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['mount'], action: 'SCMP_ACT_LOG', args }],
      }
      expect(validateShape(converted(linuxWith({ seccomp })).config).map(String)).toEqual([])
    }
    for (const mode of linux.memoryPolicy.modes) {
      const nodes = /DEFAULT|LOCAL/.test(mode) ? undefined : '0'
      const { config } = converted(linuxWith({ memoryPolicy: { mode, nodes, flags: [] } }))
      expect([mode, validateShape(config).map(String)]).toEqual([mode, []])
    }
    expect(linux.netDevices.enabled).toBe(true)
    const moved = converted(
      linuxWith({ netDevices: { eth0: {} }, namespaces: [{ type: 'mount' }, { type: 'uts' }, { type: 'network' }] }),
    )
    expect(networkProblems(moved.config, 'new')).toEqual([])
    // In the words of the file, for a container on the host's network.
    const shared = converted(linuxWith({ netDevices: { eth0: {} }, namespaces: [{ type: 'mount' }, { type: 'uts' }] }))
    expect(networkProblems(shared.config, 'shared').map(inSpecWords)).toMatchObject([{ field: 'linux.netDevices' }])
    expect(mountOptions).toEqual(expect.arrayContaining(['idmap', 'ridmap', 'copy-symlink']))
    expect(linux.mountExtensions.idmap.enabled).toBe(true)
  })

  test('XT-15 every annotation that changes what is done is told of as unsafe', () => {
    expect(document.potentiallyUnsafeConfigAnnotations).toEqual([...document.potentiallyUnsafeConfigAnnotations].sort())
    const wishes = [
      'run.oci.hooks.stdout',
      'run.oci.hooks.stderr',
      'run.oci.keep_original_groups',
      'run.oci.pidfd_receiver',
    ]
    for (const name of wishes) {
      const annotations = { [name]: '1' }
      const [plain, changed] = [converted(specWith({})), converted(specWith({ annotations }))]
      expect(JSON.stringify({ ...changed, config: { ...changed.config, labels: 0 } })).not.toBe(
        JSON.stringify({ ...plain, config: { ...plain.config, labels: 0 } }),
      )
      expect(document.potentiallyUnsafeConfigAnnotations).toContain(name)
    }
  })
})

describe('OC-05 EV-142 the unit of systemd', () => {
  test('OC-05 slice, prefix and name; without them the container’s own', () => {
    expect(systemdCgroup('system.slice:docker:c1', 'c1')).toEqual({
      slice: 'system.slice',
      prefix: 'docker',
      name: 'c1',
    })
    expect(systemdCgroup('user.slice::c1', 'c1')).toEqual({ slice: 'user.slice', prefix: '', name: 'c1' })
    expect(systemdCgroup(undefined, 'c1')).toEqual({ slice: '', prefix: 'libcontainer', name: 'c1' })
  })

  test('EV-142 anything but three parts', () => {
    for (const path of ['a', 'a:b', 'a:b:c:d', '/docker/c1', 'a:b:']) {
      const { field, hint } = refusal(() => systemdCgroup(path, 'c1'))
      expect([path, field]).toEqual([path, 'linux.cgroupsPath'])
      expect(hint).toContain('system.slice:libcontainer:c1')
    }
  })
})

describe('OC-10 properties of systemd in annotations', () => {
  const read = (name: string, text: string) => systemdProperties({ [`org.systemd.property.${name}`]: text })[0]

  test.each([
    ['CollectMode', "'inactive-or-failed'", { type: 's', value: 'inactive-or-failed' }],
    ['Description', '"it\'s \\"one\\""', { type: 's', value: 'it\'s "one"' }],
    ['Delegate', 'true', { type: 'b', value: true }],
    ['TasksMax', 'uint64 5', { type: 't', value: 5 }],
    ['TasksMax', '@t 18446744073709551615', { type: 't', value: 2n ** 64n - 1n }],
    ['IOWeight', '-7', { type: 'i', value: -7 }],
    ['CPUWeight', '0x10', { type: 'i', value: 16 }],
    ['Ratio', '1.5', { type: 'd', value: 1.5 }],
    ['After', "['a.service', 'b,c.service']", { type: 'as', value: ['a.service', 'b,c.service'] }],
    ['After', '@as []', { type: 'as', value: [] }],
  ])('OC-10 %s %s', (name, text, expected) => {
    expect(read(name, text)).toEqual({ name, ...expected })
  })

  test('OC-10 seconds become microseconds', () => {
    expect(read('TimeoutStopSec', 'uint64 90')).toEqual({ name: 'TimeoutStopUSec', type: 't', value: 90_000_000 })
    expect(read('RuntimeMaxSec', '0.5')).toEqual({ name: 'RuntimeMaxUSec', type: 't', value: 500_000 })
    expect(read('TimeoutStopUSec', 'uint64 7')).toEqual({ name: 'TimeoutStopUSec', type: 't', value: 7 })
    expect(systemdProperties({ 'org.systemd.property': '1', 'org.example': 'x' })).toEqual([])
  })

  test('OC-10 off: the conversion never looks at them', () => {
    const annotations = { 'org.systemd.property.SuccessAction': "'poweroff-force'" }
    expect(converted(specWith({ annotations })).config).toEqual({
      ...converted(specWith({})).config,
      labels: ["org.systemd.property.SuccessAction='poweroff-force'", 'bundle=/srv/bundle'],
    })
  })

  test('EV-160 short and odd names, values that are none, seconds of no number', () => {
    for (const name of ['', 'ab', 'Tasks1', 'Tasks-Max', 'Täsks'])
      expect(() => read(name, '1')).toThrow('three letters')
    for (const text of ['', 'x', "'a", 'byte 256', 'uint16 -1', 'int32 2147483648', '[]', "['a', 1]", 'tru'])
      expect([text, refusal(() => read('TasksMax', text)).field]).toEqual([
        text,
        "annotations['org.systemd.property.TasksMax']",
      ])
    expect(() => read('TimeoutStopSec', "'x'")).toThrow('must be a number of seconds')
    expect(() => read('TimeoutStopSec', '-1')).toThrow('0 or more')
  })
})
