import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { type SandboxOptions, type SandboxResult, sandbox } from '@libcontainer/container'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  alive,
  OrdinaryUser,
  requires,
  type TemporaryDirectory,
  temporaryDirectory,
  together,
  until,
} from '../../../test/support/index.js'
import { everything } from './everything.js'

const needs = requires('root', 'namespace:user')
const names = /^libcontainer-sandbox-/
let place: TemporaryDirectory

beforeAll(async () => {
  place = temporaryDirectory('sandbox-')
  if (needs.skip) return
  for (const name of ['project', 'tree/below', 'flag']) mkdirSync(`${place.path}/${name}`, { recursive: true })
  symlinkSync('/etc/hostname', `${place.path}/tree/link`)
  // For what is made at first use and stays.
  await said('true')
})
afterAll(() => {
  place[Symbol.dispose]()
})

const made = (options: SandboxOptions = {}) => sandbox({ ro: ['/usr'], stateRoot: `${place.path}/state`, ...options })
const left = (): string[] => readdirSync(`${place.path}/state`)

/** What a shell script of the host's says in a sandbox; it must end well. */
async function said(script: string, options: SandboxOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await made(options).run(['sh', '-c', script])
  expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' })
  return stdout
}

describe('BY-02 a program in parts of this host', needs, () => {
  test('BY-02 it sees them and nothing else, and has no privilege', async () => {
    const before = everything(names)
    writeFileSync(`${place.path}/project/file`, 'mine')
    const result = await made({
      rw: [{ source: `${place.path}/project`, destination: '/work' }],
      tmpfs: ['/tmp'],
      cwd: '/work',
      env: { GREETING: 'hello', PATH: '/usr/bin' },
    }).run(
      [
        'sh',
        '-c',
        `echo $GREETING $(hostname) $$ $(id -u) $(pwd) $HOME; ls /; cat file; echo new >made; echo x >/tmp/x
         grep -E 'Cap(Prm|Eff|Bnd)|NoNewPrivs|Seccomp:' /proc/self/status | tr -d '\\t\\n'; echo
         ls /sys/class/net /proc/1/cwd/ 2>/dev/null; cat; touch /usr/x /x /etc/x 2>/dev/null || exit 7`,
      ],
      { stdin: 'what is read\n' },
    )
    expect(result).toMatchObject({ code: 7, signal: undefined, oom: false, truncated: false, stderr: '' })
    const zero = '0'.repeat(16)
    const lines = result.stdout.split('\n')
    expect(lines[0]).toBe('hello sandbox 1 0 /work /tmp')
    expect(lines).toEqual(expect.arrayContaining(['bin', 'dev', 'etc', 'proc', 'tmp', 'usr', 'work', 'what is read']))
    for (const hidden of ['root', 'home', 'var', 'srv', 'sys', 'run']) expect(lines).not.toContain(hidden)
    expect(result.stdout).toContain(`CapPrm:${zero}CapEff:${zero}CapBnd:${zero}NoNewPrivs:1Seccomp:2`)
    expect(readFileSync(`${place.path}/project/made`, 'utf8')).toBe('new\n')
    expect(left()).toEqual([])
    expect(everything(names)).toEqual(before)
  })

  test('BY-02 a network of its own with a loopback alone, or the host’s', async () => {
    const interfaces = "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ' | sort"
    const [own, shared] = [await said(interfaces), await said(interfaces, { share: ['net'] })]
    expect(own).toBe('lo\n')
    expect(shared.trim().split('\n').sort()).toEqual(
      readFileSync('/proc/net/dev', 'utf8')
        .trim()
        .split('\n')
        .slice(2)
        .map(line => line.split(':')[0]!.trim())
        .sort(),
    )
  })

  test('BY-02 what was not made by a bind is no way out, and what is bound is the host’s as it is', async () => {
    const bind = { source: `${place.path}/tree`, destination: '/tree' }
    // The link leads to a file of the host: in here there is none.
    expect(await said('cat /tree/link 2>/dev/null || echo none; ls -d /tree/below', { ro: ['/usr', bind] })).toBe(
      'none\n/tree/below\n',
    )
  })

  test('BY-02 an aborted one is killed with all that it has started, and nothing is left', async () => {
    const abort = new AbortController()
    const signal = abort.signal
    const script = 'sleep 1000 & echo started >/flag/up; sleep 1000'
    const running = made({ rw: [{ source: `${place.path}/flag`, destination: '/flag' }] }).run(['sh', '-c', script], {
      signal,
    })
    await until('the program runs', () => existsSync(`${place.path}/flag/up`))
    abort.abort(new Error('enough'))
    await expect(running).rejects.toThrow('enough')
    expect(left()).toEqual([])
    await expect(made().run(['true'], { signal })).rejects.toThrow('enough')
  })

  test('BY-02 much output is cut where it was said, and the program goes on', async () => {
    const result = await made().run(['sh', '-c', 'head -c 300000 /dev/zero | tr "\\0" x; echo end >&2'], {
      maxOutput: 1000,
    })
    expect(result).toMatchObject({ code: 0, stdout: 'x'.repeat(1000), stderr: 'end\n', truncated: true })
  })

  test('BY-02 what is wrong is told by its field or its step, and nothing is left', async () => {
    await expect(made({ ro: ['/usr', `${place.path}/absent`] }).run(['true'])).rejects.toMatchObject({ field: 'ro[1]' })
    await expect(made().run(['no-such-program'])).rejects.toMatchObject({
      code: 'SystemError',
      message: expect.stringContaining('no-such-program'),
    })
    await expect(made({ cwd: '/nowhere' }).run(['true'])).rejects.toMatchObject({
      code: 'SystemError',
      message: expect.stringContaining('EROFS'),
    })
    await expect(made().run(['true'], { stdin: 7 as never })).rejects.toMatchObject({ field: 'stdin' })
    expect(left()).toEqual([])
  })

  test('BY-02 create answers a container for streams and further programs', async () => {
    const container = await made({ tmpfs: ['/tmp'] }).create()
    try {
      await container.run({ args: ['sleep', '1000'] })
      const more = await container.exec({ args: ['sh', '-c', 'echo more >/tmp/file; cat /tmp/file'], stdio: 'pipe' })
      let text = ''
      for await (const chunk of more.stdout!) text += chunk
      expect(text).toBe('more\n')
    } finally {
      await container.destroy({ force: true })
    }
    expect(left()).toEqual([])
  })

  test('BY-01 BY-02 when the program that asked is killed it ends, and what tells of it goes with the next', async () => {
    const who = await killed()
    await until('its process has gone', () => !alive(who.inside))
    expect(readdirSync(who.stateRoot)).toEqual([expect.stringContaining(`sandbox-${who.pid}-`)])
    await sandbox({ ro: ['/usr'], stateRoot: who.stateRoot }).run(['true'])
    expect(readdirSync(who.stateRoot)).toEqual([])
  })
})

test('BY-02 limits hold: of processes, by the kernel', together(needs, requires('cgroup')), async () => {
  const { stderr } = await made({ limits: { pids: { max: 4 } } }).run([
    'sh',
    '-c',
    'for i in 1 2 3 4 5 6; do sleep 3 & done',
  ])
  expect(stderr).toMatch(/fork/i)
})

/** A program of ours that is killed while a sandbox of its runs. */
async function killed(): Promise<{ pid: number; inside: number; stateRoot: string }> {
  const stateRoot = `${place.path}/killed`
  const source = `
    import { sandbox } from '@libcontainer/container'
    const container = await sandbox({ ro: ['/usr'], stateRoot: ${JSON.stringify(stateRoot)} }).create()
    const { pid } = await container.run({ args: ['sleep', '1000'] })
    console.log(pid)
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    cwd: new URL('..', import.meta.url),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const inside = await new Promise<number>(resolve => child.stdout!.once('data', text => resolve(Number(text))))
  child.kill('SIGKILL')
  await new Promise(resolve => child.once('exit', resolve))
  return { pid: child.pid!, inside, stateRoot }
}

test('BY-02 an ordinary user has one, without a root filesystem and without any right', needs, () => {
  using user = new OrdinaryUser()
  const result = user.evaluate<SandboxResult>(`
import { sandbox } from '${user.module('@libcontainer/container')}'
const script = 'id -u; cat /proc/self/uid_map; echo x >/tmp/x && cat /tmp/x; touch /usr/x 2>/dev/null || echo refused'
console.log(JSON.stringify(await sandbox({ ro: ['/usr'], tmpfs: ['/tmp'], unshare: 'all' }).run(['sh', '-c', script])))
`)
  expect(result).toMatchObject({ code: 0, stderr: '' })
  expect(result.stdout.replace(/ +/g, ' ')).toBe(`0\n 0 ${user.uid} 1\nx\nrefused\n`)
})
