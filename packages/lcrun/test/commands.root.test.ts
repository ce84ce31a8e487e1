import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Bundle, either, hosts, specOf, until } from './hosts.js'

/** A root filesystem may be read-only; these directories of its memory can be mounted on. */
const roomy = specOf(['/bin/sleep', '1000'], {
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs' },
    { destination: '/tmp', type: 'tmpfs', source: 'tmpfs' },
  ],
})

const lines = (text: string): string[] => text.split('\n').filter(line => line !== '')

/** A container that runs, on a root filesystem with room. */
function running(bundle: Bundle, id = bundle.id, spec: unknown = roomy): number {
  bundle.write(spec)
  expect(bundle.detached(['run', '--detach', id])).toMatchObject({ status: 0, stderr: '' })
  return bundle.state(id)!.pid as number
}

/** The mount points that a process sees. */
const mountsOf = (pid: number): string[] =>
  readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
    .split('\n')
    .map(line => line.split(' ')[4]!)

describe.each(hosts)('$name', host => {
  test('OL-14 events goes on at its interval, and ends when the cgroup goes', host.needs, async () => {
    using bundle = new Bundle(host)
    running(bundle)
    const events = bundle.start(['events', '--interval', '100ms', bundle.id])
    await until('three lines', () => (lines(events.stdout).length >= 3 ? true : undefined))
    expect(bundle.run(['delete', '--force', bundle.id])).toMatchObject({ status: 0 })
    expect(await events.ended()).toBe(0)
    for (const line of lines(events.stdout)) expect(JSON.parse(line)).toMatchObject({ type: 'stats', id: bundle.id })
  })

  test('OL-15 update changes what is given in kernel and state, and nothing else', host.needs, () => {
    using bundle = new Bundle(host)
    const resources = { cpu: { quota: 50000, period: 100000, shares: 512 }, pids: { limit: 40 } }
    running(bundle, bundle.id, { ...roomy, linux: { ...roomy.linux, resources } })
    const saved = (): unknown =>
      (
        JSON.parse(readFileSync(`${bundle.stateRoot}/${bundle.id}/state.json`, 'utf8')) as {
          config: { cgroups: unknown }
        }
      ).config.cgroups
    const silent = { status: 0, stdout: '', stderr: '' }
    expect(bundle.run(['update', '--memory', '64m', '--cpu-period', '50000', bundle.id])).toEqual(silent)
    expect(saved()).toMatchObject({
      memory: { max: 64 * 2 ** 20 },
      cpu: { quotaUs: 50000, periodUs: 50000, shares: 512 },
      pids: { max: 40 },
    })
    const input = JSON.stringify({
      memory: { limit: 96 * 2 ** 20 },
      pids: { limit: 50 },
      blockIO: { weight: 0 },
      devices: null,
    })
    expect(bundle.run(['update', '--resources', '-', '--pids-limit', '7', bundle.id], { input })).toEqual(silent)
    expect(saved()).toMatchObject({ memory: { max: 96 * 2 ** 20 }, pids: { max: 50 }, cpu: { quotaUs: 50000 } })
    writeFileSync(bundle.file('r.json'), '{"pids":{"limit":30}}')
    expect(bundle.run(['update', '-r', bundle.file('r.json'), bundle.id])).toEqual(silent)
    const { stdout } = bundle.run(['events', '--stats', bundle.id])
    expect(JSON.parse(stdout)).toMatchObject({
      data: { pids: { limit: 30 }, memory: { usage: { limit: 96 * 2 ** 20 } } },
    })
    expect(bundle.run(['update', '--kernel-memory', '1m', bundle.id])).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('changes nothing'),
    })
  })
})

describe.each(either)('$name', host => {
  test('OL-11 list as a table, as JSON, and the ids alone', host.needs, async () => {
    using bundle = new Bundle(host)
    const { id } = bundle
    const [first, second] = [`${id}-1`, `${id}-2`]
    mkdirSync(bundle.stateRoot, { mode: 0o700 })
    expect(bundle.run(['list'])).toEqual({
      status: 0,
      stdout: 'ID          PID         STATUS      BUNDLE      CREATED     OWNER\n',
      stderr: '',
    })
    expect(bundle.run(['list', '--format', 'json'])).toEqual({ status: 0, stdout: '[]\n', stderr: '' })
    expect(bundle.run(['list', '-q'])).toEqual({ status: 0, stdout: '', stderr: '' })
    const pid = running(bundle, first)
    expect(bundle.detached(['create', second])).toMatchObject({ status: 0 })
    const [heading, one, two, ...more] = lines(bundle.run(['list']).stdout)
    expect(more).toEqual([])
    expect(heading).toMatch(/^ID +PID +STATUS +BUNDLE +CREATED +OWNER$/)
    const time = String.raw`\d{4}-\d\d-\d\dT\S+Z`
    expect(one).toMatch(new RegExp(`^${first} +${pid} +running +${bundle.path} +${time} +root$`))
    expect(two).toMatch(new RegExp(`^${second} +\\d+ +created +${bundle.path} +${time} +root$`))
    expect(one!.indexOf('running')).toBe(heading!.indexOf('STATUS'))
    expect(bundle.run(['list', '-q']).stdout).toBe(`${first}\n${second}\n`)
    const { stdout } = bundle.run(['list', '-f', 'json'])
    expect(lines(stdout)).toHaveLength(1)
    expect(JSON.parse(stdout)).toEqual([first, second].map(id => ({ ...bundle.state(id)!, owner: 'root' })))
    bundle.run(['pause', first])
    expect(bundle.run(['list']).stdout).toMatch(/ paused /)
    bundle.run(['resume', first])
    bundle.run(['kill', first, 'KILL'])
    await bundle.stopped(first)
    expect(bundle.run(['list']).stdout).toMatch(new RegExp(`^${first} +0 +stopped `, 'm'))
  })

  test(
    'OL-11 EV-009 what cannot be read is warned of and left out; a state root that is named has to be there',
    host.needs,
    () => {
      using bundle = new Bundle(host)
      running(bundle)
      for (const [name, text] of Object.entries({ broken: '{"id":"broken","init_pro', other: '{}', null: 'null' })) {
        mkdirSync(`${bundle.stateRoot}/${name}`)
        writeFileSync(`${bundle.stateRoot}/${name}/state.json`, text, { mode: 0o600 })
      }
      mkdirSync(`${bundle.stateRoot}/being-made`)
      writeFileSync(`${bundle.stateRoot}/a-file`, '')
      const { status, stdout, stderr } = bundle.run(['list', '--quiet'])
      expect({ status, stdout }).toEqual({ status: 0, stdout: `${bundle.id}\n` })
      for (const name of ['broken', 'other', 'null']) expect(stderr).toContain(`/${name}/state.json`)
      expect(stderr).not.toContain('being-made')
      expect(lines(stderr).filter(line => line.includes('warning'))).toHaveLength(3)
      const whole = readFileSync(`${bundle.stateRoot}/${bundle.id}/state.json`, 'utf8')
      mkdirSync(`${bundle.stateRoot}/cut`)
      const cut = whole.replace(`"id":"${bundle.id}"`, '"id":"cut"').slice(0, -9)
      writeFileSync(`${bundle.stateRoot}/cut/state.json`, cut, { mode: 0o600 })
      const all = bundle.run(['list', '--format', 'json'])
      expect({ status: all.status, ids: JSON.parse(all.stdout) }).toEqual({
        status: 0,
        ids: [expect.objectContaining({ id: bundle.id, status: 'running' })],
      })
      for (const name of ['broken', 'cut']) expect(all.stderr).toMatch(new RegExp(`warning: .*/${name}/state\\.json`))
      expect(bundle.run(['--root', `${bundle.stateRoot}/absent`, 'list'])).toMatchObject({ status: 1, stdout: '' })
      expect(existsSync(`${bundle.stateRoot}/absent`)).toBe(false)
    },
  )

  test('OL-12 ps: the rows of ps -ef or of the options given, and the pids', host.needs, () => {
    using bundle = new Bundle(host)
    const pid = running(bundle)
    const [heading, row, ...more] = lines(bundle.run(['ps', bundle.id]).stdout)
    expect(heading).toMatch(/^UID +PID +PPID /)
    expect(row).toMatch(new RegExp(`^\\S+ +${pid} +\\d+ .* /?(?:bin/)?sleep 1000$`))
    expect(more).toEqual([])
    expect(bundle.run(['ps', '--format', 'json', bundle.id]).stdout).toBe(`[${pid}]\n`)
    expect(bundle.run(['ps', bundle.id, '-o', 'pid,comm']).stdout).toMatch(
      new RegExp(`^ +PID COMMAND\n *${pid} sleep\n$`),
    )
    expect(bundle.run(['ps', bundle.id, '-o', 'comm'])).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('no column PID'),
    })
    expect(bundle.run(['ps', '-f', 'yaml', bundle.id])).toMatchObject({ status: 1 })
    expect(bundle.run(['ps', 'absent'])).toMatchObject({ status: 1, stderr: expect.stringContaining('does not exist') })
  })

  test('OL-13 pause and resume: the status tells, and a second time is refused or nothing', host.needs, async () => {
    using bundle = new Bundle(host)
    running(bundle)
    const silent = { status: 0, stdout: '', stderr: '' }
    expect(bundle.run(['pause', bundle.id])).toEqual(silent)
    expect(bundle.state()).toMatchObject({ status: 'paused' })
    expect(bundle.run(['resume', bundle.id])).toEqual(silent)
    expect(bundle.state()).toMatchObject({ status: 'running' })
    expect(bundle.run(['resume', bundle.id])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('is not paused'),
    })
    bundle.run(['kill', bundle.id, 'KILL'])
    await bundle.stopped()
    expect(bundle.run(['pause', bundle.id])).toMatchObject({ status: 1, stdout: '' })
  })

  test('OL-14 events --stats once: a line of JSON', host.needs, () => {
    using bundle = new Bundle(host)
    running(bundle, bundle.id, { ...roomy, linux: { ...roomy.linux, resources: { pids: { limit: 20 } } } })
    const { status, stdout, stderr } = bundle.run(['events', '--stats', bundle.id])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(lines(stdout)).toHaveLength(1)
    const event = JSON.parse(stdout) as { data: Record<string, unknown> }
    expect(event).toMatchObject({
      type: 'stats',
      id: bundle.id,
      data: {
        cpu: { usage: { total: expect.any(Number), kernel: expect.any(Number), user: expect.any(Number) } },
        memory: {
          usage: { limit: expect.any(Number), usage: expect.any(Number) },
          raw: { pgfault: expect.any(Number) },
        },
        pids: { current: 1, limit: 20 },
      },
    })
    expect(Object.keys(event.data)).toEqual([
      ...['cpu', 'cpuset', 'memory', 'pids', 'blkio', 'hugetlb', 'intel_rdt', 'network_interfaces'],
    ])
  })

  test('OL-14 events tells of want of memory', host.needs, async () => {
    using bundle = new Bundle(host)
    const fill = 'while [ ! -e /tmp/go ]; do sleep 0.05; done; head -c 64m /dev/zero | tail; exec sleep 1000'
    const pid = running(bundle, bundle.id, {
      ...specOf(['/bin/sh', '-c', fill]),
      linux: { namespaces: roomy.linux.namespaces, resources: { memory: { limit: 16 * 2 ** 20, swap: 16 * 2 ** 20 } } },
    })
    const events = bundle.start(['events', '--interval', '50ms', bundle.id])
    await events.wrote('"type":"stats"')
    writeFileSync(`/proc/${pid}/root/tmp/go`, '')
    await events.wrote(`{"type":"oom","id":"${bundle.id}"}\n`)
    bundle.run(['delete', '--force', bundle.id])
    expect(await events.ended()).toBe(0)
  })

  test('EV-195 events refuses an interval that is none, and a container that has stopped', host.needs, async () => {
    using bundle = new Bundle(host)
    running(bundle)
    for (const interval of ['0', '-1s', 'often'])
      expect(bundle.run(['events', `--interval=${interval}`, bundle.id])).toMatchObject({
        status: 1,
        stdout: '',
        stderr: expect.stringContaining('--interval'),
      })
    bundle.run(['kill', bundle.id, 'KILL'])
    await bundle.stopped()
    expect(bundle.run(['events', '--stats', bundle.id])).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('not running'),
    })
  })

  test('EV-162 update refuses what it cannot do, and the limits are as they were', host.needs, async () => {
    using bundle = new Bundle(host)
    running(bundle, bundle.id, { ...roomy, linux: { ...roomy.linux, resources: { pids: { limit: 20 } } } })
    const before = readFileSync(`${bundle.stateRoot}/${bundle.id}/state.json`, 'utf8')
    const refused = (args: readonly string[], input = ''): void => {
      expect(bundle.run(['update', ...args, bundle.id], { input })).toMatchObject({
        status: 1,
        stdout: '',
        stderr: expect.stringMatching(/./),
      })
      expect(readFileSync(`${bundle.stateRoot}/${bundle.id}/state.json`, 'utf8')).toBe(before)
    }
    refused(['--memory', '1x'])
    refused(['--pids-limit', '10', '--l3-cache-schema', 'L3:0=f'])
    refused(['--pids-limit', '10', '--cpu-period', '5'])
    refused(['-r', '-'], '{"pids":{"limit":"many"}}')
    refused(['-r', '-'], 'null')
    refused(['-r', '-'], '{')
    refused(['-r', '-'], '{"blockIO":{"weight":500}}')
    refused(['-r', bundle.file('absent.json')])
    const { stdout } = bundle.run(['events', '--stats', bundle.id])
    expect(JSON.parse(stdout)).toMatchObject({ data: { pids: { limit: 20 } } })
    bundle.run(['kill', bundle.id, 'KILL'])
    await bundle.stopped()
    expect(bundle.run(['update', '--pids-limit', '10', bundle.id])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('not running'),
    })
  })

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

  test('XT-03 kill and delete by a regular expression: those that it matches, and no other', host.needs, async () => {
    using bundle = new Bundle(host)
    const ids = ['web-1', 'web-2', 'db-1'].map(name => `${bundle.id}-${name}`)
    for (const id of ids) running(bundle, id)
    const silent = { status: 0, stdout: '', stderr: '' }
    expect(bundle.run(['delete', '--regex', `^${bundle.id}-web`])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('2 containers: '),
    })
    expect(bundle.left().sort()).toEqual(ids.toSorted())
    expect(bundle.run(['kill', '--regex', `^${bundle.id}-web-\\d$`, 'KILL'])).toEqual(silent)
    for (const id of ids.slice(0, 2)) await bundle.stopped(id)
    expect(bundle.state(ids[2])).toMatchObject({ status: 'running' })
    expect(bundle.run(['delete', '-r', `^${bundle.id}-web`])).toEqual(silent)
    expect(bundle.left()).toEqual([ids[2]])
    expect(bundle.run(['delete', '-r', 'matches nothing'])).toEqual(silent)
    expect(bundle.run(['kill', '-r', '(', 'KILL'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('regular expression'),
    })
    expect(bundle.run(['delete', '-r', '--force', ''])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('must not be empty'),
    })
    expect(bundle.run(['delete', '-r', '--force', '.*'])).toEqual(silent)
    expect(bundle.left()).toEqual([])
  })

  test('XT-03 kill --all reaches every process of the container', host.needs, async () => {
    using bundle = new Bundle(host)
    const own = specOf(['/bin/sh', '-c', 'sleep 1000 & sleep 1000 & wait'])
    const shared = { ...own, linux: { namespaces: [{ type: 'mount' }, { type: 'uts' }] } }
    running(bundle, bundle.id, shared)
    const pids = await until('three processes', () => {
      const found = JSON.parse(bundle.run(['ps', '-f', 'json', bundle.id]).stdout) as number[]
      return found.length === 3 ? found : undefined
    })
    expect(bundle.run(['kill', '--all', bundle.id, 'KILL'])).toMatchObject({ status: 0 })
    await bundle.stopped()
    await until('their end', () => (pids.some(pid => existsSync(`/proc/${pid}`)) ? undefined : true))
    expect(bundle.run(['kill', '--all', bundle.id, 'KILL'])).toMatchObject({ status: 0 })
  })

  test('XT-04 MT-46 mounts add and remove, in the container alone; all of them or none', host.needs, () => {
    using bundle = new Bundle(host)
    const pid = running(bundle)
    mkdirSync(bundle.file('shown'))
    writeFileSync(bundle.file('shown/file'), 'of the host')
    const mounts = [
      { destination: '/tmp/shown', source: bundle.file('shown'), type: 'bind', options: ['bind', 'ro'] },
      { destination: '/tmp/memory', type: 'tmpfs', source: 'tmpfs', options: ['size=64k', 'nosuid'] },
    ]
    const file = bundle.file('mounts.json')
    const silent = { status: 0, stdout: '', stderr: '' }
    writeFileSync(file, JSON.stringify(mounts))
    expect(bundle.run(['mounts', 'add', bundle.id, file])).toEqual(silent)
    expect(mountsOf(pid)).toEqual(expect.arrayContaining(['/tmp/shown', '/tmp/memory']))
    expect(mountsOf(process.pid)).not.toContain('/tmp/shown')
    expect(bundle.run(['exec', bundle.id, 'cat', '/tmp/shown/file'])).toMatchObject({
      status: 0,
      stdout: 'of the host',
    })
    expect(bundle.run(['exec', bundle.id, 'touch', '/tmp/shown/new'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('Read-only'),
    })
    writeFileSync(file, JSON.stringify({ mounts }))
    expect(bundle.run(['mounts', 'remove', bundle.id, file])).toEqual(silent)
    expect(mountsOf(pid)).not.toContain('/tmp/shown')
    expect(mountsOf(pid)).not.toContain('/tmp/memory')
    expect(bundle.run(['mounts', 'remove', bundle.id, file])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('unmount /tmp/shown'),
    })
    writeFileSync(file, JSON.stringify([mounts[0], { ...mounts[0], destination: '/tmp/x', source: '/absent' }]))
    expect(bundle.run(['mounts', 'add', bundle.id, file])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('/absent'),
    })
    expect(mountsOf(pid)).not.toContain('/tmp/shown')
  })

  test('MT-46 mounts add in a user namespace of its own, with the flags of the mount', host.needs, () => {
    using bundle = new Bundle(host)
    const map = [{ containerID: 0, hostID: 100000, size: 65536 }]
    const namespaces = [...roomy.linux.namespaces, { type: 'user' }]
    const pid = running(bundle, bundle.id, {
      ...roomy,
      linux: { namespaces, uidMappings: map, gidMappings: map },
    })
    const file = bundle.file('mounts.json')
    const bind = { destination: '/tmp/etc', source: '/etc', type: 'bind', options: ['rbind', 'ro', 'nosuid'] }
    writeFileSync(file, JSON.stringify([bind, { destination: '/tmp/memory', type: 'tmpfs', options: ['ro'] }]))
    expect(bundle.run(['mounts', 'add', bundle.id, file])).toEqual({ status: 0, stdout: '', stderr: '' })
    const infos = readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
    expect(infos).toMatch(/ \/tmp\/etc ro,nosuid,/)
    expect(infos).toMatch(/ \/tmp\/memory ro,/)
  })

  test(
    'XT-04 mounts refuses what would show the host, what is no list, and a container that does not run',
    host.needs,
    async () => {
      using bundle = new Bundle(host)
      running(bundle)
      const file = bundle.file('mounts.json')
      const refused = (mounts: unknown, message: string): void => {
        writeFileSync(file, JSON.stringify(mounts))
        expect(bundle.run(['mounts', 'add', bundle.id, file])).toMatchObject({
          status: 1,
          stderr: expect.stringContaining(message),
        })
      }
      refused([{ destination: '/tmp/p', type: 'proc', source: 'proc' }], 'must be bind or tmpfs')
      refused([{ destination: '/', type: 'tmpfs' }], 'must not be the root')
      refused({ mount: [] }, 'list of mounts')
      refused([{ type: 'tmpfs' }], 'destination')
      expect(bundle.run(['mounts', 'move', bundle.id, file])).toMatchObject({ status: 1 })
      expect(bundle.run(['mounts', 'add', bundle.id, bundle.file('absent')])).toMatchObject({ status: 1 })
      bundle.run(['kill', bundle.id, 'KILL'])
      await bundle.stopped()
      refused([{ destination: '/tmp/t', type: 'tmpfs' }], 'not running')
    },
  )

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

  test('XT-13 --log-level says what is told', host.needs, () => {
    using bundle = new Bundle(host)
    running(bundle)
    mkdirSync(`${bundle.stateRoot}/broken`)
    writeFileSync(`${bundle.stateRoot}/broken/state.json`, '{', { mode: 0o600 })
    expect(bundle.run(['list', '-q']).stderr).toContain('broken')
    expect(bundle.run(['--log-level', 'error', 'list', '-q']).stderr).toBe('')
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
