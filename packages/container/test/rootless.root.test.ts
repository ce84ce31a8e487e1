import { execFileSync } from 'node:child_process'
import { chownSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { cgroupHost } from '@libcontainer/cgroups'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OrdinaryUser, type RunOptions, requires, together } from '../../../test/support/index.js'

const needs = requires('root', 'rootfs', 'namespace:user')
const lending = together(needs, requires('program:newuidmap', 'program:newgidmap'))
let user: OrdinaryUser
let rich: OrdinaryUser
let next = 0

beforeAll(() => {
  if (needs.skip) return
  user = new OrdinaryUser()
  rich = new OrdinaryUser({ subIds: 65536 })
})
afterAll(() => {
  user?.[Symbol.dispose]()
  rich?.[Symbol.dispose]()
})

interface Question {
  readonly who?: OrdinaryUser
  readonly config?: object
  readonly options?: object
  readonly run?: RunOptions
}

/** Runs the body as an ordinary user, with a container `c` and what it may want to ask; what it returns, or the error, comes back. */
function asked<T = unknown>(body: string, { who = user, config = {}, options = {}, run = {} }: Question = {}): T {
  return who.evaluate<T>(
    `
import { Factory, plan, validate, rootlessConfig, defaultIdMaps } from '${who.module('@libcontainer/container')}'
import { readSync } from 'node:fs'
const warnings = []
const config = { rootfs: '${who.rootfs}', ...${JSON.stringify(config)} }
const told = async stream => { const parts = []; for await (const part of stream) parts.push(part); return Buffer.concat(parts).toString() }
let c
const script = async (text, spec = {}) => {
  const process = await c.run({ args: ['/bin/sh', '-c', text], stdio: ['null', 'pipe', 'inherit'], ...spec })
  const out = told(process.stdout)
  const { code } = await process.wait()
  return (await out) + (code === 0 ? '' : 'exit code ' + code)
}
let result
try {
  const factory = await Factory.open('${who.runtime}/libcontainer', { warn: text => warnings.push(text), ...${JSON.stringify(options)} })
  const id = 'rootless-${next++}'
  c = await factory.create(id, config)
  result = await (async () => { ${body} })()
} catch (error) {
  result = { code: error.code, message: error.message, field: error.field, hint: error.hint, syscall: error.syscall }
} finally {
  await c?.destroy({ force: true })
}
console.log(JSON.stringify(result ?? null))
`,
    run,
  )
}

test(
  'RL-02 RL-05 XT-09 an ordinary user without lent ids is root of a container, by one mapping and without setgroups',
  needs,
  () => {
    const text = asked<string>(
      "return await script('id -u; cat /proc/self/uid_map /proc/self/setgroups; ls /sys/fs/cgroup; echo > /dev/null; echo $$')",
    )
    expect(text.replace(/ +/g, ' ')).toBe(`0\n 0 ${user.uid} 1\ndeny\n1\n`)
  },
)

test('RL-02 US-06 a user whom ids are lent to has them in containers, by newuidmap and newgidmap', lending, () => {
  const text = asked<string>("return await script('cat /proc/self/gid_map /proc/self/setgroups')", { who: rich })
  expect(text.replace(/ +/g, ' ')).toBe(` 0 ${rich.uid} 1\n 1 1000000 65536\nallow\n`)
  expect(asked("return await script('id', { user: '1000:1000', additionalGroups: [7] })", { who: rich })).toMatch(
    /^uid=1000\(user\) gid=1000\(user\) groups=7$/m,
  )
})

test('an ordinary user’s container is created, started, joined, signalled and removed', needs, () => {
  const body = `
const first = await c.start({ args: ['/bin/sleep', '100'] })
const seen = [await c.status()]
await c.exec()
seen.push(await c.status(), await script('readlink /proc/1/exe; id -u'))
seen.push((await c.processes()).length)
await c.signal('KILL')
seen.push((await first.wait()).signal, await c.status())
await c.destroy()
return seen`
  expect(asked(body)).toEqual(['created', 'running', '/bin/busybox\n0\n', 1, 'SIGKILL', 'stopped'])
  expect(readdirSync(join(user.runtime, 'libcontainer'))).toEqual([])
})

test('an ordinary user’s container has a terminal', needs, () => {
  const body = `
const process = await c.run({ args: ['/bin/sh', '-c', 'tty; stty size'], terminal: { rows: 10, columns: 20 } })
await process.wait()
const text = Buffer.alloc(100)
return text.subarray(0, readSync(process.terminal.fd, text)).toString()`
  expect(asked(body)).toBe('/dev/pts/0\r\n10 20\r\n')
})

describe('VAL-22', () => {
  test(
    'VAL-22 EV-044 an ordinary user’s config that lists namespaces without user is refused, with the way out',
    needs,
    () => {
      const config = { namespaces: ['mnt', 'pid'] }
      expect(asked('', { config })).toMatchObject({
        code: 'ConfigInvalid',
        field: 'namespaces',
        hint: expect.stringContaining("'user'"),
      })
      expect(asked('return (await rootlessConfig({ ...config, namespaces: ["mnt"] })).namespaces', {})).toEqual([
        { kind: 'user' },
        { kind: 'mnt' },
      ])
    },
  )

  test('VAL-22 EV-044 empty maps of a new user namespace are refused', needs, () => {
    expect(asked('', { config: { namespaces: ['user', 'mnt'], uidMappings: [], gidMappings: [] } })).toMatchObject({
      code: 'ConfigInvalid',
      field: 'uidMappings',
    })
  })

  test('VAL-22 EV-089 uid= and gid= of a mount must be ids that are mapped', needs, () => {
    const mount = (option: string): object => ({
      config: { mounts: [{ destination: '/dev', type: 'tmpfs', options: ['nosuid', option] }] },
    })
    expect(asked('', mount('mode=700,gid=5'))).toMatchObject({
      code: 'ConfigInvalid',
      field: 'mounts[0].options[1]: gid=5',
    })
    expect(asked('', mount('uid=7'))).toMatchObject({ code: 'ConfigInvalid' })
    expect(asked("return await script('echo fine')", mount('uid=0'))).toBe('fine\n')
  })
})

test('EV-045 a user and a group that are not mapped are named before anything is started', needs, () => {
  const run = (spec: string): unknown => asked(`return await script('id', ${spec})`)
  expect(run('{ user: { uid: 7 } }')).toMatchObject({
    message: expect.stringContaining('unmapped uid 7 in user namespace'),
  })
  expect(run('{ user: { uid: 0, gid: 8 } }')).toMatchObject({
    message: expect.stringContaining('unmapped gid 8 in user namespace'),
  })
  expect(run("{ user: '9' }")).toMatchObject({ message: expect.stringContaining('unmapped uid 9 in user namespace') })
})

test('EV-046 additional groups of an ordinary user with one mapping are refused', needs, () => {
  expect(asked("return await script('id', { additionalGroups: [0] })")).toMatchObject({
    code: 'ConfigInvalid',
    field: 'process.additionalGroups',
    hint: expect.stringContaining('/etc/subgid'),
  })
})

test('EV-106 an ordinary user’s oom score may rise, and lowering it is left undone', needs, () => {
  const score = (value: number): unknown =>
    asked("return await script('cat /proc/self/oom_score_adj')", { config: { oomScoreAdj: value } })
  expect(score(500)).toBe('500\n')
  expect(score(-500)).toBe('0\n')
})

test('limits of a process are set by an ordinary user up to its own', needs, () => {
  const config = { rlimits: [{ type: 'RLIMIT_NOFILE', soft: 100, hard: 200 }] }
  expect(asked("return await script('ulimit -n; ulimit -Hn')", { config })).toBe('100\n200\n')
})

describe('EV-159', () => {
  test(
    'RL-03 EV-159 limits of an ordinary user without a cgroup are refused by name, and nothing is left',
    needs,
    () => {
      const config = { cgroups: { pids: { max: 10 } } }
      expect(asked("return await script('true')", { config })).toMatchObject({
        message: expect.stringContaining('cgroups.pids.max: cannot be set'),
        hint: expect.stringContaining('systemd-run --user --scope -p Delegate=yes'),
      })
      expect(readdirSync(join(user.runtime, 'libcontainer'))).toEqual([])
    },
  )

  test('RL-03 EV-159 so is a path without permission; without both there is no cgroup', needs, () => {
    expect(asked("return await script('true')", { config: { cgroups: { path: '/not-mine/either' } } })).toMatchObject({
      message: expect.stringContaining('/not-mine/either'),
      hint: expect.stringContaining('leave the path out'),
    })
    const body = `
await c.start({ args: ['/bin/true'] })
const { cgroup_paths } = await c.state()
const stats = await c.stats().catch(error => error.code)
return { cgroup_paths, stats, pids: (await c.processes()).length }`
    expect(asked(body)).toEqual({ cgroup_paths: {}, stats: 'CgroupNotExist', pids: 1 })
  })

  test(
    'EV-159 a delegated cgroup is used, and removed with the container',
    together(needs, requires('cgroup2')),
    async () => {
      const { mountpoint } = (await cgroupHost()).hierarchies.find(({ version }) => version === 2)!
      const lent = join(mountpoint, `libcontainer-rootless-${process.pid}`)
      mkdirSync(join(lent, 'session'), { recursive: true })
      for (const part of ['', 'session'])
        for (const file of ['', 'cgroup.procs', 'cgroup.subtree_control'])
          chownSync(join(lent, part, file), user.uid, user.uid)
      try {
        const body = `
await c.start({ args: ['/bin/sleep', '100'] })
await c.exec()
await c.pause()
const paused = await c.status()
await c.resume()
const { cgroup_paths } = await c.state()
return { paused, cgroup_paths, pids: (await c.processes()).length, seen: await script('cat /proc/1/cgroup') }`
        const run = { cgroup: join(lent, 'session') }
        expect(asked(body, { run })).toEqual({
          paused: 'paused',
          cgroup_paths: { '': expect.stringMatching(new RegExp(`^${lent}/libcontainer-rootless-\\d+$`)) },
          pids: 1,
          seen: expect.stringMatching(/^0::\/.*\/libcontainer-rootless-\d+$/m),
        })
        expect(
          readdirSync(lent, { withFileTypes: true })
            .filter(each => each.isDirectory())
            .map(({ name }) => name),
        ).toEqual(['session'])
        const limited = { config: { cgroups: { memory: { max: 64 << 20 } } }, run }
        const limit = `
await c.start({ args: ['/bin/sleep', '100'] })
await c.exec()
return (await c.stats()).cgroups.memory.max`
        // On a hybrid host it is version 1 that has the controller, and nothing of it is lent.
        if (/\bmemory\b/.test(readFileSync(join(lent, 'cgroup.controllers'), 'utf8'))) {
          expect(asked(limit, limited)).toBe(64 << 20)
        } else {
          expect(asked(limit, limited)).toMatchObject({ message: expect.stringContaining('memory') })
        }
      } finally {
        rmdirSync(join(lent, 'session'))
        rmdirSync(lent)
      }
    },
  )
})

test(
  'an ordinary user’s container that shares the network, or process ids, sees the host’s /sys and /proc read-only and bound',
  needs,
  () => {
    const see = (namespaces: string[]): unknown =>
      asked("return await script('touch /sys/kernel/x 2>&1; test -e /proc/self/stat && echo proc')", {
        config: { namespaces },
      })
    expect(see(['user', 'mnt', 'pid', 'ipc'])).toBe('touch: /sys/kernel/x: Read-only file system\nproc\n')
    expect(see(['user', 'mnt', 'ipc'])).toBe('touch: /sys/kernel/x: Read-only file system\nproc\n')
    expect(see(['user', 'mnt', 'pid'])).toMatchObject({ hint: expect.stringContaining("kind 'ipc'") })
  },
)

test('EV-048 a shared pid namespace without a cgroup is warned of, and refused where that is asked for', needs, () => {
  const config = { namespaces: ['user', 'mnt', 'ipc', 'net'] }
  expect(asked('return warnings', { config })).toEqual([expect.stringContaining('cannot be killed reliably')])
  expect(asked('return warnings', { config, options: { strict: true } })).toMatchObject({
    code: 'ConfigInvalid',
    field: 'namespaces',
  })
})

test(
  'CO-15 KILL of a container that shares its pid namespace reaches the first process alone, with a warning',
  needs,
  () => {
    const body = `
const first = await c.start({ args: ['/bin/sleep', '100'] })
await c.exec()
warnings.length = 0
await c.signal('KILL')
return { signal: (await first.wait()).signal, warnings }`
    expect(asked(body, { config: { namespaces: ['user', 'mnt', 'ipc', 'net'] } })).toEqual({
      signal: 'SIGKILL',
      warnings: [expect.stringContaining('others may live on')],
    })
  },
)

test('EV-041 blocked user namespaces are told by their cause', needs, () => {
  // The limit counts in each user namespace for itself: here in one of the test's own.
  const limited = `
import { spawnSync } from 'node:child_process'
const inner = \`echo 0 > /proc/sys/user/max_user_namespaces && exec "$0" "$@"\`
const { stdout, stderr } = spawnSync('unshare', ['--user', '--map-root-user', 'sh', '-c', inner, 'setpriv', '--bounding-set=-all', '--inh-caps=-all', '--securebits=+noroot', process.execPath, '${user.path}/inner.mjs'], { encoding: 'utf8' })
process.stdout.write(stdout || JSON.stringify({ stderr }))`
  const inner = `
import { Factory } from '${user.module('@libcontainer/container')}'
import { writeFileSync } from 'node:fs'
const factory = await Factory.open('${user.runtime}/blocked')
const c = await factory.create('blocked', { rootfs: '${user.rootfs}' })
try { await c.run({ args: ['/bin/true'] }) } catch ({ code, message, hint }) { console.log(JSON.stringify({ code, message, hint })) }
await c.destroy()`
  const cases = user.evaluate<Record<string, string>>(
    `import { writeFileSync } from 'node:fs'; writeFileSync('${user.home}/inner.mjs', ${JSON.stringify(inner)});` +
      limited.replace(`${user.path}/inner.mjs`, `${user.home}/inner.mjs`),
  )
  expect(cases).toMatchObject({
    code: 'SystemError',
    message: expect.stringContaining('user.max_user_namespaces is 0'),
    hint: 'sysctl -w user.max_user_namespaces=15000',
  })
})

test(
  'MT-47 BY-04 MT-36 an ordinary user lays memory over an image of its own, and changes the root without mounts',
  needs,
  () => {
    // What is of ids that the user namespace does not have cannot be copied up.
    execFileSync('chown', ['-R', `${user.uid}:${user.uid}`, user.rootfs])
    const script = 'echo new >/new; rm -r /home; cat /new; grep -c " / / .* overlay " /proc/self/mountinfo; ls -d /home'
    const rootOverlay = { temporary: true }
    expect(asked(`return await script(${JSON.stringify(`${script} || :`)})`, { config: { rootOverlay } })).toBe(
      'new\n1\n',
    )
    expect(readdirSync(user.rootfs)).toContain('home')
    const config = { namespaces: ['user', 'pid'], mounts: [], devices: [], maskedPaths: [], readonlyPaths: [] }
    // There is no null device in it.
    const body = `
const stdio = ['pipe', 'pipe', 'inherit']
await c.run({ args: ['/bin/sleep', '1000'], stdio })
return await script('cd ..; pwd; id -u; ls -d /bin', { stdio })`
    expect(asked(body, { config })).toBe('/\n0\n/bin\n')
  },
)
