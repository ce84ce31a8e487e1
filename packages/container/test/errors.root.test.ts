import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type Container, ContainerError } from '@libcontainer/container'
import { expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { Bench, elsewhere, finished, printed, sleeper } from './support.js'

const needs = requires('root', 'rootfs')
const directoryOf = (bench: Bench, { id }: Container): string => join(bench.factory.root, id)

test(
  'ER-08 FA-14 a first process that was not started here cannot be waited for or terminated, but signalled',
  needs,
  async () => {
    await using bench = await Bench.open('loaded')
    const container = await bench.create()
    await expect(container.wait()).rejects.toMatchObject({ code: 'ProcessNotExecuted', number: 6 })
    const child = await container.run(sleeper)
    const found = await bench.factory.load(container.id)
    for (const act of [found.wait(), found.terminate()])
      await expect(act).rejects.toMatchObject({
        code: 'ProcessNotExecuted',
        number: 6,
        message: expect.stringMatching(/was not started here/),
      })
    expect(await found.status()).toBe('running')
    await found.signal('TERM')
    await found.signal('KILL')
    await found.ended()
    expect((await child.wait()).signal).toBe('SIGKILL')
    expect(await found.status()).toBe('stopped')
  },
)

test('ER-11 killing all where there is no cgroup any more has a code of its own', needs, async () => {
  await using bench = await Bench.open('nocgroup')
  const container = await bench.create()
  await expect(container.signal('KILL', { all: true })).rejects.toMatchObject({
    name: 'ContainerError',
    code: 'CgroupNotExist',
    number: undefined,
  })
})

test('ER-14 a mount that is refused tells operation, source, destination, flags, data and errno', needs, async () => {
  await using bench = await Bench.open('mount')
  const mounts = [
    { destination: '/tmp', type: 'tmpfs', source: 'scratch', options: ['nosuid', 'nodev', 'size=1m', 'bogus=1'] },
  ]
  const container = await bench.create({ mounts })
  let error: unknown
  try {
    await container.run(sleeper)
  } catch (thrown) {
    error = thrown
  }
  expect(error).toBeInstanceOf(ContainerError)
  expect(error).toMatchObject({ code: 'SystemError', errno: -22, path: '/tmp' })
  const { message } = error as Error
  expect(message).toMatch(/mount tmpfs on \/tmp/)
  expect(message).toMatch(/EINVAL/)
  expect(message).toContain("source name 'scratch', flags MS_NOSUID|MS_NODEV, data 'size=1m,bogus=1'")
})

test('ER-12 the verbose rendering names the code, the step and where it was raised', needs, async () => {
  await using bench = await Bench.open('detail')
  const container = await bench.create()
  const error = (await container.run({ args: ['/absent'] }).catch(error => error as unknown)) as ContainerError
  expect(error.code).toBe('SystemError')
  const text = error.detail()
  expect(text).toMatch(/SystemError/)
  expect(text).toMatch(/ENOENT/)
  expect(text).toMatch(/first\.(js|ts)|start\.(js|ts)|bootstrap\.(js|ts)/)
})

test('ST-15 what the standard streams were is recorded before the program runs', needs, async () => {
  await using bench = await Bench.open('streams')
  const piped = await bench.create()
  const child = await piped.run({
    args: ['/bin/sh', '-c', 'exec >/dev/full; sleep 1000'],
    stdio: ['null', 'pipe', 'pipe'],
  })
  const streams = (await piped.state()).external_descriptors!
  expect(streams[0]).toBe('/dev/null')
  expect(streams[1]).toMatch(/^pipe:\[\d+\]$/)
  expect(streams[2]).toMatch(/^pipe:\[\d+\]$/)
  expect(streams[1]).not.toBe(streams[2])
  child.signal('KILL')
  await child.wait()
  const terminal = await bench.create()
  await terminal.run({ ...sleeper, terminal: true })
  expect((await terminal.state()).external_descriptors).toEqual(['/dev/null', '/dev/null', '/dev/null'])
})

test('ST-12 what is new since 2015 is recorded, too', needs, async () => {
  await using bench = await Bench.open('record')
  const container = await bench.create()
  const before = Date.now()
  await container.run(sleeper)
  const state = await container.state()
  expect(state).toMatchObject({ rootless: false })
  expect(state.created).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/)
  expect(Date.parse(state.created!)).toBeGreaterThanOrEqual(before)
  expect(
    Object.hasOwn(JSON.parse(readFileSync(join(directoryOf(bench, container), 'state.json'), 'utf8')), 'era'),
  ).toBe(false)
})

test('D-09 ST-12 limits beyond 2^53 survive a start, a load and a further process', needs, async () => {
  await using bench = await Bench.open('bigint')
  const rlimits = [{ type: 'RLIMIT_AS', soft: 2n ** 62n + 1n, hard: 2n ** 64n - 1n }]
  const { container } = await bench.running({ rlimits })
  const found = await bench.factory.load(container.id)
  expect(found.config().rlimits).toEqual(rlimits)
  const child = await found.exec({ args: ['/bin/cat', '/proc/self/limits'], stdio: 'pipe' })
  expect(printed(await finished(child))).toMatch(/Max address space +4611686018427387905 +unlimited/)
})

test(
  'ST-17 a created container is started by a socket in its directory, for its owner alone, which goes with the start',
  needs,
  async () => {
    await using bench = await Bench.open('socket')
    const container = await bench.create()
    const child = await container.start({ args: ['/bin/true'] })
    const path = join(directoryOf(bench, container), 'start.sock')
    expect(statSync(path).isSocket()).toBe(true)
    expect(statSync(path).uid).toBe(0)
    // Nothing of it is left to the program: init has it as a descriptor, closed by the exec.
    await container.exec()
    expect(existsSync(path)).toBe(false)
    expect(await child.wait()).toMatchObject({ code: 0 })
  },
)

test('ST-17 ST-02 a socket of somebody else in its place does not make a container `created`', needs, async () => {
  await using bench = await Bench.open('socket')
  const { container } = await bench.running()
  const path = join(directoryOf(bench, container), 'start.sock')
  const server = createServer()
  await new Promise<void>(resolve => server.listen(path, resolve))
  try {
    expect(await container.status()).toBe('running')
  } finally {
    await new Promise(resolve => server.close(resolve))
  }
})

test('ST-02 a file `checkpoint` in its directory makes it Checkpointed, by the names of 2015', needs, async () => {
  await using bench = await Bench.open('checkpoint')
  const container = await bench.create()
  expect(await container.status2015()).toBe('Destroyed')
  await container.start(sleeper)
  expect(await container.status2015()).toBe('Running')
  await container.exec()
  expect(await container.status2015()).toBe('Running')
  await container.pause()
  expect(await container.status2015()).toBe('Paused')
  writeFileSync(join(directoryOf(bench, container), 'checkpoint'), '')
  expect(await container.status2015()).toBe('Checkpointed')
  expect(await container.status()).toBe('paused')
})

test('ST-10 what a container is in no state for says from where to where', needs, async () => {
  await using bench = await Bench.open('transition')
  const container = await bench.create()
  await expect(container.pause()).rejects.toMatchObject({ code: 'ContainerNotRunning', from: 'stopped', to: 'paused' })
  await container.start(sleeper)
  await expect(container.start(sleeper)).rejects.toMatchObject({
    code: 'ContainerNotStopped',
    from: 'created',
    to: 'created',
  })
  await container.exec()
  await expect(container.exec()).rejects.toMatchObject({ code: 'AlreadyStarted', from: 'running', to: 'running' })
  await expect(container.resume()).rejects.toMatchObject({ code: 'NotPaused', from: 'running', to: 'running' })
  await expect(container.destroy()).rejects.toMatchObject({
    code: 'ContainerNotStopped',
    from: 'running',
    to: 'stopped',
  })
  await container.pause()
  await expect(container.destroy()).rejects.toMatchObject({
    code: 'ContainerPaused',
    number: 3,
    from: 'paused',
    to: 'stopped',
    hint: expect.stringMatching(/resume/),
  })
})

test('ST-09 a loaded container looks again at each call, and destroys what has become of it', needs, async () => {
  await using bench = await Bench.open('loaded')
  const { container, init: child } = await bench.running()
  const found = await bench.factory.load(container.id)
  await container.pause()
  expect(await found.status()).toBe('paused')
  await found.resume()
  expect(await container.status()).toBe('running')
  child.signal('KILL')
  await child.wait()
  expect(await found.status()).toBe('stopped')
  await found.destroy()
  expect(existsSync(directoryOf(bench, container))).toBe(false)
  expect(await found.ociState()).toMatchObject({ status: 'stopped' })
  expect('pid' in (await found.ociState())).toBe(false)
})

test('CO-04 the state in OCI’s words, from another process too', needs, async () => {
  await using bench = await Bench.open('oci')
  const container = await bench.create({ labels: ['bundle=/srv/x', 'who=me'] })
  expect(await container.ociState()).toMatchObject({ status: 'stopped', bundle: '/srv/x', annotations: { who: 'me' } })
  const child = await container.start(sleeper)
  expect(await container.ociState()).toMatchObject({ status: 'created', pid: child.pid })
  const program = 'return await (await (await Factory.open(args[0])).load(args[1])).ociState()'
  expect(await elsewhere(program, bench.factory.root, container.id)).toEqual({
    ociVersion: '1.3.0',
    id: container.id,
    status: 'created',
    pid: child.pid,
    bundle: '/srv/x',
    annotations: { who: 'me' },
  })
})
