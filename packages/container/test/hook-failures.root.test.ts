import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, hookPoints } from '@libcontainer/container'
import { describe, expect, test } from 'vitest'
import { requires, shellCommand, temporaryDirectory } from '../../../test/support/index.js'
import { Bench, elsewhere, ownRootfs, sleeper } from './support.js'

const needs = requires('root')

const env = ['PATH=/usr/bin:/bin']

describe('failures', () => {
  const failing = { env, timeoutMs: 20_000 }

  test.each(['prestart', 'createRuntime', 'createContainer'] as const)(
    'HK-09 HK-07 EV-125 %s: the first that fails ends the creation, is named, and nothing is left',
    needs,
    async point => {
      await using bench = await Bench.open('fails')
      using dir = temporaryDirectory('hooks-')
      const after = join(dir.path, 'after')
      for (const [hook, problem] of [
        [shellCommand('echo out; echo err >&2; exit 7', failing), `/bin/sh ended with exit code 7: out\nerr`],
        [shellCommand('kill -TERM $$', failing), '/bin/sh was ended by signal 15'],
        [shellCommand('exec sleep 100', { env, timeoutMs: 150 }), '/bin/sh took longer than 150 ms and was killed'],
        [{ path: '/no/such' }, /ENOENT: .*execve.* '\/no\/such'/],
        [{ path: '/etc/passwd' }, /EACCES: .*'\/etc\/passwd'/],
      ] as const) {
        const id = bench.id()
        const hooks = { [point]: [shellCommand('exit 0'), hook, shellCommand(`echo > ${after}`)] }
        const container = await bench.create({ hooks }, id)
        const started = container.start(sleeper)
        await expect(started).rejects.toMatchObject({
          code: 'SystemError',
          message: expect.stringMatching(problem instanceof RegExp ? problem : new RegExp(problem)),
        })
        await expect(started).rejects.toThrow(`hook ${point}[1] failed`)
        expect(existsSync(after)).toBe(false)
        expect(await container.status()).toBe('stopped')
        expect(existsSync(join(bench.factory.root, id, 'state.json'))).toBe(false)
        expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(id)
        await container.destroy()
      }
    },
  )

  test(
    'HK-04 HK-09 startContainer: who starts the container is told, from another process too, and it is stopped',
    needs,
    async () => {
      await using bench = await Bench.open('starting')
      using dir = temporaryDirectory('hooks-')
      const gone = join(dir.path, 'gone')
      const container = await bench.create({
        hooks: {
          startContainer: [shellCommand('exit 0'), shellCommand('echo no luck; exit 3')],
          poststop: [shellCommand(`echo > ${gone}`)],
        },
      })
      const child = await container.start(sleeper)
      const program = 'await (await (await Factory.open(args[0])).load(args[1])).exec()'
      expect(await elsewhere(program, bench.factory.root, container.id)).toMatchObject({
        error: 'SystemError',
        message: `cannot start '${container.id}': hook startContainer[1] failed: /bin/sh ended with exit code 3: no luck`,
      })
      expect(await child.wait()).toMatchObject({ code: 127 })
      expect(await container.status()).toBe('stopped')
      await container.destroy()
      expect(existsSync(gone)).toBe(true)
      const late = await bench.create({
        hooks: { startContainer: [shellCommand('exec sleep 100', { timeoutMs: 100 })] },
      })
      await expect(late.run(sleeper)).rejects.toThrow('hook startContainer[0] failed: /bin/sh took longer than 100 ms')
    },
  )

  test(
    'HK-07 EV-126 a flood from a hook in the container is read, its beginning told; what it leaves behind is not waited for',
    needs,
    async () => {
      await using bench = await Bench.open('flood')
      const flood = shellCommand('head -c 5000000 /dev/zero | tr "\\0" y; exit 1', { env })
      const container = await bench.create({ hooks: { createContainer: [flood] } })
      const message = await container.start(sleeper).catch((error: Error) => error.message)
      expect(String(message).split('y').length - 1).toBeGreaterThan(32_000)
      const before = performance.now()
      const left = await bench.create({ hooks: { createContainer: [shellCommand('sleep 3 & echo done', { env })] } })
      await left.start(sleeper)
      expect(performance.now() - before).toBeLessThan(2500)
    },
  )

  test('HK-07 a state larger than a pipe of itself holds comes whole', needs, async () => {
    await using bench = await Bench.open('large')
    using dir = temporaryDirectory('hooks-')
    const file = join(dir.path, 'size')
    const labels = ['bundle=/b', ...Array.from({ length: 3000 }, (_, i) => `key${i}=${'v'.repeat(100)}`)]
    const hooks = {
      createContainer: [shellCommand(`sleep 0.1; cat > ${file}`, { env })],
      prestart: [shellCommand('exit 0')],
    }
    const container = await bench.create({ labels, hooks })
    await container.start(sleeper)
    expect(Object.keys(JSON.parse(readFileSync(file, 'utf8')).annotations)).toHaveLength(3000)
  })

  test('HK-07 EV-126 a state larger than any pipe comes whole, and may be left unread', needs, async () => {
    await using bench = await Bench.open('larger')
    using rootfs = ownRootfs()
    mkdirSync(join(rootfs.path, 'out'))
    const labels = ['bundle=/b', ...Array.from({ length: 300 }, (_, i) => `key${i}=${'v'.repeat(10_000)}`)]
    const hooks = {
      createContainer: [
        shellCommand('exit 0'),
        shellCommand('head -c 100000 > /dev/null; exec <&-; sleep 0.1', { env }),
      ],
      startContainer: [shellCommand('sleep 0.1; cat > /out/state')],
    }
    // A file would be held to the limit of files.
    const rlimits = [{ type: 'RLIMIT_FSIZE', soft: 4_000_000, hard: 4_000_000 }]
    const container = await bench.create({ rootfs: rootfs.path, labels, hooks, rlimits })
    const { code, signal } = await (await container.run({ args: ['/bin/true'] })).wait()
    expect([code, signal]).toEqual([0, undefined])
    const state = JSON.parse(readFileSync(join(rootfs.path, 'out/state'), 'utf8'))
    expect(Object.keys(state.annotations)).toHaveLength(300)
    expect(state.pid).toBe(1)
    const small = { hooks: { startContainer: [shellCommand('read -r line; test -n "$line"')] } }
    const limited = await bench.create({ ...small, labels, rlimits: [{ type: 'RLIMIT_FSIZE', soft: 0, hard: 0 }] })
    expect(await (await limited.run({ args: ['/bin/true'] })).wait()).toMatchObject({ code: 0 })
  })

  test('HK-09 init that is killed while a hook runs, is told', needs, async () => {
    await using bench = await Bench.open('killed')
    using dir = temporaryDirectory('hooks-')
    const pidFile = join(dir.path, 'pid')
    const hang = shellCommand(`echo $$ > ${pidFile}; exec sleep 1000`, { env })
    const container = await bench.create({ hooks: { createContainer: [hang] } })
    const started = container.start(sleeper)
    started.catch(() => {})
    await expect.poll(() => existsSync(pidFile)).toBe(true)
    // It is saved beside the hook.
    const pid = async () => (await container.state().catch(() => undefined))?.init_process_pid
    await expect.poll(pid).toBeDefined()
    process.kill((await pid())!, 'SIGKILL')
    await expect(started).rejects.toThrow('init ended during set-up (signal 9)')
    expect(await container.status()).toBe('stopped')
  })
})

describe('output', () => {
  test('HK-11 goes to files, to which it is appended, at every point', needs, async () => {
    await using bench = await Bench.open('output')
    using dir = temporaryDirectory('hooks-')
    const [stdout, stderr] = [join(dir.path, 'out'), join(dir.path, 'err')] as const
    writeFileSync(stdout, 'before\n')
    const say = (point: string): Command => shellCommand(`echo ${point}; echo ${point} failed >&2`)
    const hooks = Object.fromEntries(hookPoints.map(point => [point, [say(point)]]))
    const container = await bench.create({ hooks, hookOutput: { stdout, stderr } })
    await (await container.run({ args: ['/bin/true'] })).wait()
    await container.destroy()
    expect(readFileSync(stdout, 'utf8')).toBe(`before\n${hookPoints.join('\n')}\n`)
    expect(readFileSync(stderr, 'utf8')).toBe(`${hookPoints.join(' failed\n')} failed\n`)
    // One of them alone: the other is in the error.
    const only = await bench.create({
      hooks: { createContainer: [shellCommand('echo file; echo told >&2; exit 1')] },
      hookOutput: { stdout },
    })
    await expect(only.start(sleeper)).rejects.toThrow(/exit code 1: told$/)
    expect(readFileSync(stdout, 'utf8')).toMatch(/poststop\nfile\n$/)
  })

  test('HK-11 files that cannot be opened are an error, and nothing is made', needs, async () => {
    await using bench = await Bench.open('no-output')
    for (const point of ['prestart', 'startContainer'] as const) {
      const container = await bench.create({
        hooks: { [point]: [shellCommand('exit 0')] },
        hookOutput: { stdout: '/no/such/file' },
      })
      await expect(container.start(sleeper)).rejects.toMatchObject({
        code: 'SystemError',
        message: /'\/no\/such\/file'/,
      })
      expect(await container.status()).toBe('stopped')
    }
  })
})

describe('functions', () => {
  test('HK-10 at the four points of the host; refused in the container; told to be in no state', needs, async () => {
    await using bench = await Bench.open('functions')
    const container = await bench.create()
    const seen: string[] = []
    for (const point of ['prestart', 'createRuntime', 'poststart', 'poststop'] as const)
      container.hook(point, ({ status, pid }) => void seen.push(`${point} ${status} ${typeof pid}`))
    for (const point of ['createContainer', 'startContainer'] as const)
      expect(() => container.hook(point, () => {})).toThrow(
        expect.objectContaining({ code: 'ConfigInvalid', field: point }),
      )
    container.hook('createContainer', shellCommand('exit 0'))
    await (await container.run({ args: ['/bin/true'] })).wait()
    await container.destroy()
    expect(seen).toEqual([
      'prestart creating number',
      'createRuntime creating number',
      'poststart running number',
      'poststop stopped undefined',
    ])
    const second = await bench.create()
    second.hook('prestart', () => Promise.reject(new Error('not today')))
    await expect(second.run(sleeper)).rejects.toThrow('hook prestart[0] failed: not today')
  })
})
