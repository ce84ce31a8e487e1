import { validateShape } from '@libcontainer/container'
import { checkIntelRdt } from '@libcontainer/intelrdt/config'
import { exampleSpec, inSpecWords, parseProcess, type Spec, toProcessSpec } from '@libcontainer/oci'
import { ConfigInvalid } from '@libcontainer/sys'
import { describe, expect, test } from 'vitest'
import { at, BUNDLE, configOf, converted, fault, linuxWith, processWith, specWith } from './support.js'

describe('the filter', () => {
  const profile = { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW' }] }

  test('OC-12 nothing said, nothing in it: no filter', () => {
    expect(configOf(linuxWith({})).seccomp).toBe(null)
    expect(configOf(linuxWith({ seccomp: {} })).seccomp).toBe(null)
    expect(configOf(linuxWith({ seccomp: { defaultAction: '', syscalls: [] } })).seccomp).toBe(null)
  })

  test('OC-12 without flags SPEC_ALLOW; an empty list means none', () => {
    expect(configOf(linuxWith({ seccomp: profile })).seccomp!.flags).toEqual(['SECCOMP_FILTER_FLAG_SPEC_ALLOW'])
    expect(configOf(linuxWith({ seccomp: { ...profile, flags: [] } })).seccomp!.flags).toEqual([])
    const flags = ['SECCOMP_FILTER_FLAG_LOG']
    expect(configOf(linuxWith({ seccomp: { ...profile, flags } })).seccomp!.flags).toEqual(flags)
  })

  test('EV-183 SC-12 XT-05 notifications have an agent, by the profile or by an annotation; elsewhere it is ignored', () => {
    const syscalls = [...profile.syscalls, { names: ['mount'], action: 'SCMP_ACT_NOTIFY' }]
    const seccomp = { ...profile, syscalls, listenerPath: '/run/agent', listenerMetadata: 'who' }
    expect(configOf(linuxWith({ seccomp })).seccomp).toMatchObject({
      listenerPath: '/run/agent',
      listenerMetadata: 'who',
    })
    expect(at(linuxWith({ seccomp: { ...profile, syscalls } }))).toBe('linux.seccomp.listenerPath')
    const annotations = { 'run.oci.seccomp.receiver': '/run/receiver' }
    const received = (change: object) =>
      configOf({ ...linuxWith({ seccomp: { ...profile, syscalls, ...change } }), annotations }).seccomp
    expect(received({})).toMatchObject({ listenerPath: '/run/receiver' })
    expect(received({ listenerPath: '/run/agent' })).toMatchObject({ listenerPath: '/run/agent' })
    expect(received({ syscalls: profile.syscalls })).not.toHaveProperty('listenerPath')
    const raw = { 'run.oci.seccomp_bpf_data': 'BgAAAAAA/38=' }
    expect(configOf({ ...linuxWith({ seccomp: profile }), annotations: raw }).seccomp).toEqual({ bpf: 'BgAAAAAA/38=' })
    expect(at(linuxWith({ seccomp: { defaultAction: 'SCMP_ACT_NOTIFY' } }))).toBe('linux.seccomp.defaultAction')
    // Without notifications the listener is ignored: config-linux.md, Seccomp.
    expect(validateShape(configOf(linuxWith({ seccomp: { ...profile, listenerPath: '/run/agent' } })))).toEqual([])
  })

  test('EV-184 metadata without a listener', () => {
    expect(at(linuxWith({ seccomp: { ...profile, listenerMetadata: 'x' } }))).toBe('linux.seccomp.listenerMetadata')
  })

  test('EV-181 EV-182 EV-185 what a filter cannot be is found when the config is validated', () => {
    const problems = (seccomp: object): string[] =>
      validateShape(configOf(linuxWith({ seccomp }))).map(({ field }) => field)
    expect(problems({ defaultAction: 'SCMP_ACT_ALLOW', defaultErrnoRet: 1 })).toEqual(['seccomp.defaultErrnoRet'])
    const arg = { index: 6, value: 0, op: 'SCMP_CMP_EQ' }
    const call = { names: ['read'], action: 'SCMP_ACT_ALLOW', args: [arg] }
    expect(problems({ ...profile, syscalls: [call] })).toEqual(['seccomp.syscalls[0].args[0].index'])
    expect(problems({ ...profile, syscalls: [{ names: [], action: 'SCMP_ACT_ALLOW' }] })).toEqual([
      'seccomp.syscalls[0].names',
    ])
    expect(problems({ defaultAction: 'SCMP_ACT_KILL' })).toEqual([])
  })

  test('XT-05 unknown system calls are left out, or refused where an annotation asks for it', () => {
    const seccomp = { ...profile, syscalls: [{ names: ['read', 'newcall'], action: 'SCMP_ACT_ALLOW' }] }
    const spec = (annotations: object) => ({ ...linuxWith({ seccomp }), annotations }) as Spec
    expect(converted(spec({})).config.seccomp).not.toBe(null)
    expect(fault(spec({ 'run.oci.seccomp_fail_unknown_syscall': '1' })).value).toBe('newcall')
  })
})

describe('the process', () => {
  test('what runs, where, for whom', () => {
    const { process } = converted(
      processWith({
        args: ['sh', '-c', 'id'],
        env: ['A=1'],
        cwd: '/tmp',
        user: { uid: 5, gid: 6, additionalGids: [7, 8], umask: 0o27 },
        terminal: false,
        consoleSize: { height: 10, width: 20 },
      }),
    )
    expect(process).toEqual({
      args: ['sh', '-c', 'id'],
      env: ['A=1'],
      cwd: '/tmp',
      user: { uid: 5, gid: 6 },
      additionalGroups: [7, 8],
    })
  })

  test('EV-122 the terminal and its size, which counts with a terminal alone', () => {
    const terminal = (part: object) => converted(processWith(part)).process!.terminal
    expect(terminal({ terminal: true, consoleSize: undefined })).toBe(true)
    expect(terminal({ terminal: true, consoleSize: { height: 24, width: 80 } })).toEqual({ rows: 24, columns: 80 })
    expect(terminal({ terminal: true, consoleSize: { height: 0, width: 0 } })).toBe(true)
    expect(terminal({ terminal: false, consoleSize: { height: 24, width: 80 } })).toBeUndefined()
    expect(at(processWith({ consoleSize: { height: 70000, width: 1 } }))).toBe('process.consoleSize.height')
  })

  test('attributes are the container’s, so that further processes have them too', () => {
    const config = configOf(
      processWith({
        user: { umask: 0o77 },
        oomScoreAdj: -5,
        noNewPrivileges: true,
        rlimits: [{ type: 'RLIMIT_NOFILE', soft: 5, hard: 2n ** 64n - 1n }],
        scheduler: { policy: 'SCHED_BATCH', nice: 5, runtime: 0 },
        ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 3 },
      }),
    )
    expect(config).toMatchObject({
      umask: 0o77,
      oomScoreAdj: -5,
      noNewPrivileges: true,
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: 5, hard: 2n ** 64n - 1n }],
      scheduler: { policy: 'SCHED_BATCH', nice: 5 },
      ioPriority: { class: 'IOPRIO_CLASS_BE', level: 3 },
    })
    expect(validateShape(config)).toEqual([])
  })

  test('PP-12 the affinity is of further processes alone', () => {
    const { config, process } = converted(processWith({ execCPUAffinity: { initial: '0', final: '0-1' } }))
    expect(config.cpuAffinity).toEqual({ initial: '0', final: '0-1' })
    expect(process!.cpuAffinity).toEqual({})
    expect(configOf(processWith({ execCPUAffinity: { initial: '' } })).cpuAffinity).toBeUndefined()
  })

  test('EV-107 EV-109 EV-110 what cannot be meant of schedulers, disks and memory', () => {
    const found = (spec: Spec): string[] =>
      validateShape(configOf(spec)).map(problem => (inSpecWords(problem) as ConfigInvalid).field)
    const scheduler = (part: object): string[] => found(processWith({ scheduler: part }))
    expect(scheduler({ policy: 'SCHED_FIFO', nice: 1 })).toEqual(['process.scheduler.nice'])
    expect(scheduler({ policy: 'SCHED_OTHER', priority: 1 })).toEqual(['process.scheduler.priority'])
    expect(scheduler({ policy: 'SCHED_OTHER', deadline: 5 })).toEqual(['process.scheduler.deadline'])
    const ioPriority = { class: 'IOPRIO_CLASS_BE', priority: 8 }
    expect(found(processWith({ ioPriority }))).toEqual(['process.ioPriority.priority'])
    expect(found(linuxWith({ memoryPolicy: { mode: 'MPOL_BIND' } }))).toEqual(['linux.memoryPolicy.nodes'])
    expect(found(linuxWith({ memoryPolicy: { nodes: '0' } }))).toEqual(['linux.memoryPolicy.mode'])
    expect(
      configOf(linuxWith({ memoryPolicy: { mode: 'MPOL_PREFERRED', nodes: '0', flags: [] } })).memoryPolicy,
    ).toEqual({
      mode: 'MPOL_PREFERRED',
      nodes: '0',
      flags: [],
    })
  })

  test('OC-13 EV-112 personality; its flags are told of and dropped', () => {
    const { config, warnings } = converted(linuxWith({ personality: { domain: 'LINUX32', flags: ['ADDR_X'] } }))
    expect(config.personality).toBe('LINUX32')
    expect(warnings).toEqual(['linux.personality.flags: change nothing, the specification has none yet'])
    expect(configOf(linuxWith({ personality: {} })).personality).toBeUndefined()
  })

  test('EV-113 unknown capabilities are left out with a warning; without the section there are none', () => {
    const capabilities = {
      bounding: ['CAP_KILL', 'CAP_FLY'],
      permitted: ['CAP_KILL'],
      effective: ['CAP_KILL', 'CAP_FLY'],
    }
    const { config, warnings } = converted(processWith({ capabilities }))
    expect(config.capabilities).toMatchObject({ bounding: ['CAP_KILL'], effective: ['CAP_KILL'], ambient: [] })
    expect(warnings).toEqual(['process.capabilities: unknown or unavailable capabilities are ignored: CAP_FLY'])
    expect(configOf(processWith({ capabilities: undefined })).capabilities).toMatchObject({
      bounding: [],
      permitted: [],
    })
  })

  test('the ambient capabilities of runc’s example, which nobody can have, are left out in silence', () => {
    const names = ['CAP_KILL']
    const capabilities = { bounding: names, permitted: names, effective: names, ambient: names }
    const { config, warnings } = converted(processWith({ capabilities }))
    expect(config.capabilities).toMatchObject({ ambient: [] })
    expect(warnings).toEqual([])
  })

  test('a profile of AppArmor is the container’s, and that of a further process its own; empty is none', () => {
    for (const name of ['docker-default', 'unconfined'])
      expect(configOf(processWith({ apparmorProfile: name })).apparmorProfile).toBe(name)
    expect(configOf(processWith({ apparmorProfile: '' }))).not.toHaveProperty('apparmorProfile')
  })

  test('EV-115 labels of SELinux are the container’s, and their faults are told by the places of the file', () => {
    const label = 'system_u:system_r:t:s0'
    expect(configOf(processWith({ selinuxLabel: label })).selinuxLabel).toBe(label)
    expect(configOf(linuxWith({ mountLabel: label })).mountLabel).toBe(label)
    expect(configOf(linuxWith({ mountLabel: '' }))).not.toHaveProperty('mountLabel')
    expect(configOf(processWith({ selinuxLabel: '' }))).not.toHaveProperty('selinuxLabel')
    const place = (field: string) => (inSpecWords(new ConfigInvalid(field, label, 'is wrong')) as ConfigInvalid).field
    expect(place('selinuxLabel')).toBe('process.selinuxLabel')
    expect(place('mountLabel')).toBe('linux.mountLabel')
  })

  test('NL-30 EV-063 devices of the host, by another name or their own', () => {
    const netDevices = { eth0: {}, eth1: { name: '' }, eth2: { name: 'net%d' } }
    expect(configOf(linuxWith({ netDevices })).netDevices).toEqual({ eth0: {}, eth1: {}, eth2: { name: 'net%d' } })
    expect(configOf(linuxWith({ netDevices: {} }))).not.toHaveProperty('netDevices')
  })

  test('EV-161 RD-02 RD-03 the class of resctrl; one without a word is a class of its own, none is none', () => {
    const rdt = (intelRdt: object) => configOf(linuxWith({ intelRdt })).intelRdt
    expect(configOf(linuxWith({}))).not.toHaveProperty('intelRdt')
    expect(rdt({})).toEqual({})
    expect(rdt({ closID: '', l3CacheSchema: '' })).toEqual({})
    const given = { l3CacheSchema: 'L3:0=7f0;1=1f', memBwSchema: 'MB:0=20;1=70', schemata: ['L2:0=f'] }
    expect(rdt({ ...given, closID: 'gold', enableMonitoring: true })).toEqual({
      ...given,
      closId: 'gold',
      enableMonitoring: true,
    })
    const told = (intelRdt: object): unknown => {
      try {
        checkIntelRdt(rdt(intelRdt), 'intelRdt')
      } catch (error) {
        return inSpecWords(error)
      }
    }
    expect(told({ closID: 'a/b' })).toMatchObject({ field: 'linux.intelRdt.closID', value: 'a/b' })
    expect(told({ schemata: ['L3:0=f', 'L3:0'] })).toMatchObject({ field: 'linux.intelRdt.schemata[1]' })
  })

  test('EV-100 without a process there is nothing to start, and the container can be made', () => {
    const { process, config } = converted(specWith({ process: undefined }))
    expect(process).toBeUndefined()
    expect(config.capabilities).toEqual({})
    expect(validateShape(config)).toEqual([])
  })

  test('EX-08 a process.json says all of a further process', () => {
    const text = JSON.stringify({
      cwd: '/',
      args: ['id'],
      user: { uid: 1, gid: 2, umask: 0o77 },
      capabilities: { bounding: ['CAP_KILL'] },
      execCPUAffinity: { final: '0' },
    })
    const { process, warnings } = toProcessSpec(parseProcess(text))
    expect(warnings).toEqual([])
    expect(process).toMatchObject({
      args: ['id'],
      env: [],
      user: { uid: 1, gid: 2 },
      umask: 0o77,
      rlimits: [],
      noNewPrivileges: false,
      cpuAffinity: { final: '0' },
    })
    expect(process.capabilities).toMatchObject({ bounding: ['CAP_KILL'], effective: [] })
  })
})

describe('hooks, annotations, state', () => {
  test('all six points; seconds become milliseconds, and an empty argv is none', () => {
    const hook = (name: string) => ({ path: '/bin/true', args: ['true', name], env: ['A=1'], timeout: 5 })
    const points = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop']
    const { hooks } = configOf(specWith({ hooks: Object.fromEntries(points.map(each => [each, [hook(each)]])) }))
    expect(Object.keys(hooks!)).toEqual(points)
    expect(hooks!.poststop).toEqual([{ path: '/bin/true', args: ['true', 'poststop'], env: ['A=1'], timeoutMs: 5000 }])
    expect(configOf(specWith({ hooks: { poststop: [{ path: '/x', args: [] }] } })).hooks!.poststop).toEqual([
      { path: '/x' },
    ])
    expect(configOf(specWith({ hooks: {} })).hooks).toBeUndefined()
  })

  test('EV-125 a hook whose path is relative', () => {
    const config = configOf(specWith({ hooks: { createRuntime: [{ path: 'true' }] } }))
    expect(validateShape(config).map(({ field }) => field)).toEqual(['hooks.createRuntime[0].path'])
  })

  test('OC-16 every annotation is kept as a label, and the bundle is one', () => {
    const annotations = { 'org.example.a': '1', 'io.b': 'x=y', __proto__x: '' }
    const { config, warnings } = converted(specWith({ annotations }))
    expect(config.labels).toEqual(['org.example.a=1', 'io.b=x=y', '__proto__x=', `bundle=${BUNDLE}`])
    expect(warnings).toEqual([])
    expect(converted(specWith({ annotations: { 'a=b': 'c' } })).warnings).toHaveLength(1)
  })

  test('XT-05 XT-07 what crun’s annotations ask for', () => {
    const annotations = {
      'run.oci.hooks.stdout': '/var/log/out',
      'run.oci.hooks.stderr': '/var/log/err',
      'run.oci.keep_original_groups': '1',
      'run.oci.pidfd_receiver': '/run/pidfd',
    }
    const { config, process } = converted(specWith({ annotations }))
    expect(config.hookOutput).toEqual({ stdout: '/var/log/out', stderr: '/var/log/err' })
    expect(config.keepGroups).toBe(true)
    expect(process!.pidfdSocket).toBe('/run/pidfd')
    expect(at(specWith({ annotations: { 'run.oci.handler': 'krun' } }))).toBe("annotations['run.oci.handler']")
    expect(configOf(specWith({ annotations: { 'run.oci.handler': '' } })).hookOutput).toBeUndefined()
  })

  test('a session keyring of its own, unless the caller keeps its own', () => {
    expect(converted(exampleSpec()).config.sessionKeyring).toBe(true)
    expect(converted(exampleSpec(), { newKeyring: false }).config.sessionKeyring).toBeUndefined()
  })
})
