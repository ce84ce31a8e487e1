import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command, Hooks } from '@libcontainer/container'
import { describe, expect, test } from 'vitest'
import { requires, shellCommand, temporaryDirectory } from '../../../test/support/index.js'
import { runCommand } from '../src/start/command.js'
import { Bench, elsewhere, inside, sleeper } from './support.js'

const needs = requires('root')

/** A hook that writes what it is given to a file. */
const recorder = (file: string, ...more: string[]): Command => ({
  path: '/bin/sh',
  args: ['hook', '-c', 'echo "$0 $*" > "$0"; cat >> "$0"; echo >> "$0"; env >> "$0"', file, ...more],
  env: ['A=b', 'PWD=/'],
})

describe('commands', () => {
  test('HK-07 argv as given, only the environment given, the input, and no shell', needs, async () => {
    const command = { path: '/usr/bin/env', args: ['any name'], env: ['B=$(id)', 'A=1 2'] }
    expect(await runCommand(command, '')).toEqual({
      code: 0,
      signal: undefined,
      output: 'B=$(id)\nA=1 2\n',
      timedOut: false,
    })
    const echo = { path: '/bin/echo', args: ['echo', '$HOME', '*;'] }
    expect((await runCommand(echo, '')).output).toBe('$HOME *;\n')
    const large = 'x'.repeat(300_000)
    expect((await runCommand({ path: '/usr/bin/wc', args: ['wc', '-c'] }, large)).output).toBe('300000\n')
  })

  test('EV-125 what is absent, or no program, is told with its path; how one ends is told', needs, async () => {
    await expect(runCommand({ path: '/no/such' }, '')).rejects.toMatchObject({ code: 'ENOENT', path: '/no/such' })
    await expect(runCommand({ path: '/etc/passwd' }, '')).rejects.toMatchObject({ code: 'EACCES' })
    expect(await runCommand(shellCommand('echo out; echo err >&2; exit 3'), '')).toMatchObject({
      code: 3,
      output: 'out\nerr\n',
    })
    expect(await runCommand(shellCommand('kill -TERM $$'), '')).toMatchObject({ code: undefined, signal: 15 })
  })

  test('EV-125 HK-08 one that takes too long is killed', needs, async () => {
    const before = performance.now()
    const result = await runCommand({ ...shellCommand('exec sleep 100'), timeoutMs: 200 }, '')
    expect(result).toMatchObject({ signal: 9, timedOut: true })
    expect(performance.now() - before).toBeLessThan(5000)
  })

  test('EV-126 a flood is read to its end, and the first MiB of it kept', needs, async () => {
    const { code, output } = await runCommand(shellCommand('head -c 20000000 /dev/zero | tr "\\0" y'), '')
    expect(code).toBe(0)
    expect(output).toHaveLength(1024 * 1024)
  })

  test(
    'EV-126 the last that a program writes is there, and a flood of what it leaves behind is not waited for',
    needs,
    async () => {
      for (let i = 0; i < 10; i++) {
        expect((await runCommand(shellCommand('head -c 60000 /dev/zero | tr "\\0" y'), '')).output).toHaveLength(60000)
      }
      // It ends by SIGPIPE when the pipe is closed.
      const { code, output } = await runCommand(shellCommand('(sleep 0.1; exec yes) & echo first; sleep 0.3'), '')
      expect(code).toBe(0)
      expect(output.startsWith('first\ny\n')).toBe(true)
    },
  )

  test('EV-126 what a program leaves behind with its output open is not waited for', needs, async () => {
    const before = performance.now()
    const { code, output } = await runCommand(shellCommand('sleep 3 & echo done'), '')
    expect([code, output]).toEqual([0, 'done\n'])
    expect(performance.now() - before).toBeLessThan(2500)
  })
})

describe('hooks', () => {
  test('HK-05 HK-07 poststart runs when the program does, with the state on its standard input', needs, async () => {
    await using bench = await Bench.open('poststart')
    using dir = temporaryDirectory('hooks-')
    const file = join(dir.path, 'ran')
    const container = await bench.create({
      hooks: { poststart: [recorder(file, 'x y')] },
      labels: ['bundle=/b', 'k=v'],
    })
    const child = await container.start(sleeper)
    expect(existsSync(file)).toBe(false)
    await container.exec()
    const [args, state, ...env] = readFileSync(file, 'utf8').split('\n')
    expect(args).toContain(`${file} x y`)
    expect(JSON.parse(state!)).toMatchObject({
      id: container.id,
      status: 'running',
      pid: child.pid,
      bundle: '/b',
      annotations: { k: 'v' },
    })
    expect(env.filter(line => line !== '' && !/^(PWD|_|SHLVL|OLDPWD)=/.test(line))).toEqual(['A=b'])
  })

  test(
    'CO-26 HK-05 a poststart that fails ends the container: run rejects, and nothing of it lives',
    needs,
    async () => {
      await using bench = await Bench.open('failing')
      for (const [hook, problem] of [
        [
          shellCommand('echo no luck; exit 7'),
          /hook poststart\[1\] failed: \/bin\/sh ended with exit code 7: no luck$/,
        ],
        [{ path: '/no/such' }, /hook poststart\[1\] failed: .*ENOENT/],
        [
          { ...shellCommand('exec sleep 100'), timeoutMs: 100 },
          /hook poststart\[1\] failed: .* took longer than 100 ms and was killed/,
        ],
      ] as const) {
        const container = await bench.create({
          hooks: { poststart: [shellCommand('exit 0'), hook, shellCommand('exit 9')] },
        })
        await expect(container.run(sleeper)).rejects.toMatchObject({ code: 'SystemError', message: problem })
        expect(await container.status()).toBe('stopped')
        expect(await container.processes()).toEqual([])
        await container.destroy()
      }
    },
  )

  test('CO-26 in two moves, too, and from another process', needs, async () => {
    await using bench = await Bench.open('moves')
    const container = await bench.create({ hooks: { poststart: [shellCommand('exit 1')] } })
    const child = await container.start(sleeper)
    const answer = await elsewhere(
      'await (await (await Factory.open(args[0])).load(args[1])).exec()',
      bench.factory.root,
      container.id,
    )
    expect(answer).toMatchObject({ error: 'SystemError', message: expect.stringContaining('poststart[0]') })
    expect(await child.wait()).toMatchObject({ signal: 'SIGKILL' })
  })

  test('CO-18 HK-06 poststop runs once, after all is removed, all of them whatever fails', needs, async () => {
    await using bench = await Bench.open('poststop')
    using dir = temporaryDirectory('hooks-')
    const at = (name: string) => join(dir.path, name)
    for (const force of [false, true]) {
      const gone = at(`gone-${force}`)
      const id = bench.id()
      const hooks: Hooks = {
        poststop: [
          shellCommand(`cat > ${at('state')}; [ ! -e ${bench.factory.root}/${id} ] && echo > ${gone}`),
          shellCommand('exit 1'),
          shellCommand('exit 2'),
          shellCommand(`echo again >> ${at(`last-${force}`)}`),
        ],
      }
      const container = await bench.create({ hooks }, id)
      const child = await container.run(force ? sleeper : { args: ['/bin/true'] })
      if (!force) await child.wait()
      const destroyed = container.destroy({ force })
      await expect(destroyed).rejects.toMatchObject({
        code: 'SystemError',
        message: /poststop\[1\].*exit code 1; .*poststop\[2\].*exit code 2/,
      })
      expect(existsSync(gone)).toBe(true)
      expect(JSON.parse(readFileSync(at('state'), 'utf8'))).toMatchObject({ id, status: 'stopped' })
      await container.destroy()
      expect(readFileSync(at(`last-${force}`), 'utf8')).toBe('again\n')
    }
  })

  test('HK-06 remove runs them, too, and tells of a failure when all is removed', needs, async () => {
    await using bench = await Bench.open('remove')
    const { container } = await bench.running({ hooks: { poststop: [shellCommand('exit 5')] } })
    await expect(bench.factory.remove(container.id)).rejects.toMatchObject({ message: /poststop\[0\].*exit code 5/ })
    expect(existsSync(`${bench.factory.root}/${container.id}`)).toBe(false)
    expect(await container.processes()).toEqual([])
  })

  test('HK-10 functions are hooks, too; they may look at the container, and are in no state', needs, async () => {
    await using bench = await Bench.open('functions')
    const container = await bench.create()
    const seen: string[] = []
    container.hook('poststart', async ({ status }) => {
      seen.push(status, await inside(container, 'echo inside'))
    })
    container.hook('poststop', ({ status }) => void seen.push(status))
    await container.run(sleeper)
    expect((await container.state()).config.hooks).toBeUndefined()
    await container.destroy({ force: true })
    expect(seen).toEqual(['running', 'inside', 'stopped'])
    const second = await bench.create()
    second.hook('poststart', () => Promise.reject(new Error('not today')))
    await expect(second.run(sleeper)).rejects.toMatchObject({ message: /poststart\[0\] failed: not today/ })
    expect(await second.status()).toBe('stopped')
  })

  test('HK-07 the program is executed as it stands: a script by its #! line', needs, async () => {
    await using bench = await Bench.open('script')
    using dir = temporaryDirectory('hooks-')
    const path = join(dir.path, 'hook')
    writeFileSync(path, `#!/bin/sh\ncat > ${dir.path}/state\n`)
    chmodSync(path, 0o755)
    const { container } = await bench.running({ hooks: { poststart: [{ path }] } })
    expect(JSON.parse(readFileSync(`${dir.path}/state`, 'utf8'))).toMatchObject({ id: container.id })
  })
})
