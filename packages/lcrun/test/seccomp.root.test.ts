import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Decision } from '@libcontainer/seccomp'
import { describe, expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { Answering } from '../../seccomp/test/answering.js'
import { Bundle, either, hosts, Running, specOf } from './hosts.js'

const exists = (): Decision => ({ errno: 'EEXIST' })

const filtered = (listenerPath: string, args: readonly string[], more: object = {}) =>
  specOf(args, {
    linux: {
      seccomp: {
        defaultAction: 'SCMP_ACT_ALLOW',
        listenerPath,
        listenerMetadata: 'of the bundle',
        syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_NOTIFY' }],
        ...more,
      },
    },
    annotations: { note: '1' },
  })

describe.each(hosts)('$name', host => {
  test('SC-12 run, create, start and exec hand listeners to the agent of config.json', host.needs, async () => {
    using bundle = new Bundle(host)
    const path = bundle.file('agent')
    await using agent = await Answering.at(path, exists)
    bundle.write(filtered(path, ['/bin/sh', '-c', 'mkdir /tmp/x; echo $?']))
    const run = bundle.start(['run', bundle.id])
    expect(await run.ended()).toBe(0)
    expect([run.stdout, run.stderr]).toEqual(['1\n', expect.stringContaining('File exists')])
    expect(agent.received[0]).toMatchObject({
      metadata: 'of the bundle',
      state: { id: bundle.id, status: 'creating', bundle: bundle.path, annotations: { note: '1' } },
    })

    bundle.write(filtered(path, ['/bin/sleep', '1000']))
    const quiet = { stdio: 'ignore' } as const
    expect(await bundle.start(['create', bundle.id], quiet).ended()).toBe(0)
    expect(await bundle.start(['start', bundle.id], quiet).ended()).toBe(0)
    const exec = bundle.start(['exec', bundle.id, '/bin/mkdir', '/tmp/x'])
    expect(await exec.ended()).toBe(1)
    expect(exec.stderr).toContain('File exists')
    const { pid } = bundle.state()!
    expect(agent.received.slice(1)).toMatchObject([
      { pid, state: { id: bundle.id, status: 'created', pid } },
      { state: { id: bundle.id, status: 'running', pid } },
    ])
    expect(agent.calls).toHaveLength(2)
  })
})

describe.each(either)('$name', host => {
  test('EV-183 SC-12 without an agent nothing is created, and the words are those of config.json', host.needs, () => {
    using bundle = new Bundle(host)
    bundle.write(filtered(bundle.file('absent'), ['/bin/true']))
    for (const command of ['create', 'run']) {
      const { status, stderr } = bundle.run([command, bundle.id])
      expect(status).toBe(1)
      expect(stderr).toContain(`ENOENT: no such file or directory, ${command === 'run' ? 'connect' : 'stat'}`)
    }
    bundle.write(filtered('', ['/bin/true'], { listenerMetadata: undefined }))
    expect(bundle.run(['run', bundle.id]).stderr).toContain(
      'linux.seccomp.listenerPath: must name the socket of an agent',
    )
    expect(bundle.left()).toEqual([])
  })

  test('SC-12 what the agent gets is what runc sends it', {
    ...requires('root', 'program:runc'),
    timeout: 60_000,
  }, async () => {
    using bundle = new Bundle(host)
    const path = bundle.file('agent')
    await using agent = await Answering.at(path, exists)
    bundle.write(filtered(path, ['/bin/mkdir', '/tmp/x']))
    expect(await bundle.start(['run', bundle.id]).ended()).toBe(1)
    const root = join(bundle.outside, 'runc')
    mkdirSync(root)
    const runc = spawn('runc', ['--root', root, 'run', bundle.id], { cwd: bundle.path })
    expect(await new Running(runc).ended()).toBe(1)
    const [ours, theirs] = agent.received
    const shape = ({ listener: _, ...state }: object & { listener?: unknown }): object =>
      JSON.parse(JSON.stringify(state), (key, value) =>
        typeof value === 'number' ? 0 : key === 'ociVersion' ? '' : value,
      )
    expect(shape(ours!)).toEqual(shape(theirs!))
    expect(agent.calls).toHaveLength(2)
  })
})
