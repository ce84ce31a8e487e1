import { existsSync, readFileSync } from 'node:fs'
import { type ContainerConfig, validate } from '@libcontainer/container'
import { expect, test } from 'vitest'
import { busyboxRootfs, requires, together } from '../../../test/support/index.js'
import { Bench, hostIds, inside } from './support.js'

const needs = requires('root', 'rootfs')
const procFiles = { timerslack_ns: 123_456, coredump_filter: '0x7', oom_score_adj: 321 }
const script = 'cat /proc/self/timerslack_ns /proc/self/coredump_filter /proc/self/oom_score_adj'
const expected = '123456\n00000007\n321'

test('BY-17 files of a process’s own in /proc: the first, further ones, and as another user', needs, async () => {
  await using bench = await Bench.open('proc-files')
  const own = readFileSync('/proc/self/timerslack_ns', 'utf8')
  const { container } = await bench.running({ procFiles })
  expect(await inside(container, script)).toBe(expected)
  expect(await bench.text(script, { procFiles }, { user: { uid: 1000, gid: 1000 } })).toBe(expected)
  expect(await bench.text('cat /proc/self/timerslack_ns')).toBe(own.trim())
  const { config } = await container.state()
  expect(config.procFiles).toEqual(procFiles)
})

test('BY-17 in a user namespace', together(needs, requires('namespace:user')), async () => {
  await using bench = await Bench.open('proc-files')
  const config: Partial<ContainerConfig> = {
    namespaces: ['mnt', 'pid', 'ipc', 'uts', 'net', 'user'],
    uidMappings: hostIds,
    gidMappings: hostIds,
  }
  expect(await bench.text(script, { ...config, procFiles })).toBe(expected)
})

test('BY-17 what the kernel refuses is told by its step, and nothing is left', needs, async () => {
  await using bench = await Bench.open('proc-files')
  // Without autogroups the kernel has no such file.
  const config = existsSync('/proc/self/autogroup')
    ? { procFiles: { timerslack_ns: '99999999999999999999' } }
    : { procFiles: { autogroup: 3 } }
  const container = await bench.create(config)
  await expect(container.run({ args: ['/bin/true'] })).rejects.toMatchObject({
    code: 'SystemError',
    step: expect.stringMatching(/^step \d+: write .* to (timerslack_ns|autogroup)$/),
  })
  expect(await container.processes()).toEqual([])
})

test('BY-17 what is not the process’s own, or no value of it, is refused by its name', needs, async () => {
  const problems = async (config: object): Promise<string[]> =>
    (await validate({ rootfs: busyboxRootfs(), ...config } as ContainerConfig)).map(({ field }) => field)
  expect(await problems({ procFiles: { ...procFiles, autogroup: -20 } })).toEqual([])
  const wrong = {
    uid_map: '0 0 1',
    mem: 'x',
    '../1/mem': 'x',
    'attr/exec': 'x',
    constructor: 1,
    autogroup: 20,
    timerslack_ns: -1,
    coredump_filter: 'all',
    oom_score_adj: 1001,
  }
  expect(await problems({ procFiles: wrong })).toEqual(Object.keys(wrong).map(name => `procFiles.${name}`))
  expect(await problems({ procFiles: { oom_score_adj: 1 }, oomScoreAdj: 1 })).toEqual(['procFiles.oom_score_adj'])
  expect(await problems({ procFiles: [1] })).toEqual(['procFiles'])
})
