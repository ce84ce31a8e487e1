import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { cgroupHost, findCgroupMountpoint } from '@libcontainer/cgroups'
import { describe, expect, onTestFinished, test } from 'vitest'
import { requires, together } from '../../../test/support/index.js'
import { Bundle, either, hosts, specOf, until } from './hosts.js'

const lines = (text: string): string[] => text.split('\n').filter(line => line !== '')

const sleeper = specOf(['/bin/sleep', '1000'])

describe.each(hosts)('$name', host => {
  test('OL-14 events goes on at its interval, and ends when the cgroup goes', host.needs, async () => {
    using bundle = new Bundle(host)
    bundle.sleeping()
    const events = bundle.start(['events', '--interval', '100ms', bundle.id])
    await until('three lines', () => (lines(events.stdout).length >= 3 ? true : undefined))
    expect(bundle.run(['delete', '--force', bundle.id])).toMatchObject({ status: 0 })
    expect(await events.ended()).toBe(0)
    for (const line of lines(events.stdout)) expect(JSON.parse(line)).toMatchObject({ type: 'stats', id: bundle.id })
  })

  test('OL-15 update changes what is given in kernel and state, and nothing else', host.needs, () => {
    using bundle = new Bundle(host)
    const resources = { cpu: { quota: 50000, period: 100000, shares: 512 }, pids: { limit: 40 } }
    bundle.sleeping(bundle.id, { ...sleeper, linux: { ...sleeper.linux, resources } })
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
  test('OL-13 pause and resume: the status tells, and a second time is refused or nothing', host.needs, async () => {
    using bundle = new Bundle(host)
    bundle.sleeping()
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

  test('OC-14 OL-15 no huge pages, as Kubernetes asks of every pod, and some by update', {
    ...host.needs,
    ...together(host.needs, requires('cgroup2:hugetlb')),
  }, async () => {
    using bundle = new Bundle(host)
    const top = `${findCgroupMountpoint(await cgroupHost(), '')}/cgroup.subtree_control`
    const before = readFileSync(top, 'utf8')
    onTestFinished(() => {
      if (!before.includes('hugetlb')) writeFileSync(top, '-hugetlb')
    })
    const hugepageLimits = [{ pageSize: '2MB', limit: 0 }]
    bundle.sleeping(bundle.id, { ...sleeper, linux: { ...sleeper.linux, resources: { hugepageLimits } } })
    const own = /^0::(.*)$/m.exec(readFileSync(`/proc/${bundle.pid}/cgroup`, 'utf8'))![1]
    const limit = () => readFileSync(`${dirname(top)}${own}/hugetlb.2MB.max`, 'utf8')
    expect(limit()).toBe('0\n')
    const input = '{"hugepageLimits":[{"pageSize":"2MB","limit":4194304}]}'
    expect(bundle.run(['update', '-r', '-', bundle.id], { input })).toEqual({ status: 0, stdout: '', stderr: '' })
    expect(limit()).toBe('4194304\n')
  })

  test('OL-14 events --stats once: a line of JSON', host.needs, () => {
    using bundle = new Bundle(host)
    bundle.sleeping(bundle.id, { ...sleeper, linux: { ...sleeper.linux, resources: { pids: { limit: 20 } } } })
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
    bundle.sleeping(bundle.id, {
      ...specOf(['/bin/sh', '-c', fill]),
      linux: {
        namespaces: sleeper.linux.namespaces,
        resources: { memory: { limit: 16 * 2 ** 20, swap: 16 * 2 ** 20 } },
      },
    })
    const { pid } = bundle
    const events = bundle.start(['events', '--interval', '50ms', bundle.id])
    await events.wrote('"type":"stats"')
    writeFileSync(`/proc/${pid}/root/tmp/go`, '')
    await events.wrote(`{"type":"oom","id":"${bundle.id}"}\n`)
    bundle.run(['delete', '--force', bundle.id])
    expect(await events.ended()).toBe(0)
  })

  test('EV-195 events refuses an interval that is none, and a container that has stopped', host.needs, async () => {
    using bundle = new Bundle(host)
    bundle.sleeping()
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

  test(
    'EV-161 VAL-21 a class of resctrl on a host without it, and one that cannot be: nothing is made',
    host.needs,
    () => {
      const made = (intelRdt: object) => {
        using bundle = new Bundle(host, specOf(['/bin/true'], { linux: { intelRdt } }))
        const { status, stderr } = bundle.run(['create', bundle.id])
        return { status, stderr, left: bundle.run(['list', '--quiet']).stdout }
      }
      const refused = (told: string) => ({ status: 1, stderr: expect.stringContaining(told), left: '' })
      expect(made({ closID: '..' })).toEqual(refused('linux.intelRdt.closID: must be the name'))
      expect(made({ schemata: ['L3:0=f\nMB:0=10'] })).toEqual(refused('linux.intelRdt.schemata[0]: must be one line'))
      if (existsSync('/sys/fs/resctrl/info')) return
      expect(made({ closID: 'gold' })).toEqual(refused('linux.intelRdt: cannot be had: resctrl is not mounted'))
    },
  )

  test('EV-162 update refuses what it cannot do, and the limits are as they were', host.needs, async () => {
    using bundle = new Bundle(host)
    bundle.sleeping(bundle.id, { ...sleeper, linux: { ...sleeper.linux, resources: { pids: { limit: 20 } } } })
    const before = readFileSync(`${bundle.stateRoot}/${bundle.id}/state.json`, 'utf8')
    const refused = (args: readonly string[], told: string, input = ''): void => {
      expect(bundle.run(['update', ...args, bundle.id], { input })).toMatchObject({
        status: 1,
        stdout: '',
        stderr: expect.stringContaining(told),
      })
      expect(readFileSync(`${bundle.stateRoot}/${bundle.id}/state.json`, 'utf8')).toBe(before)
    }
    refused(['--memory', '1x'], '--memory: must be a number of bytes')
    refused(['--pids-limit', 'x'], '--pids-limit: must be a whole number')
    refused(['--pids-limit', '10', '--l3-cache-schema', 'L3:0=f'], 'linux.intelRdt: cannot be changed: the container')
    refused(['--mem-bw-schema', 'L3:0=f'], '--mem-bw-schema: must begin with MB:')
    refused(['--pids-limit', '10', '--cpu-period', '5'], 'EINVAL')
    refused(['-r', '-'], 'linux.resources.pids.limit: must be a whole number', '{"pids":{"limit":"many"}}')
    refused(['-r', '-'], 'linux.resources: must be an object', 'null')
    refused(['-r', '-'], 'standard input, line 1, column 2: is no JSON', '{')
    refused(
      ['-r', '-'],
      'linux.resources.blockIO.weight: must be a whole number from 10 to 1000',
      '{"blockIO":{"weight":5}}',
    )
    refused(['--blkio-weight', '5'], '--blkio-weight: must be from 10 to 1000')
    refused(['-r', bundle.file('absent.json')], 'absent.json')
    const { stdout } = bundle.run(['events', '--stats', bundle.id])
    expect(JSON.parse(stdout)).toMatchObject({ data: { pids: { limit: 20 } } })
    bundle.run(['kill', bundle.id, 'KILL'])
    await bundle.stopped()
    expect(bundle.run(['update', '--pids-limit', '10', bundle.id])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('not running'),
    })
  })
})
