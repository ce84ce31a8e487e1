import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import {
  applyProfile,
  changeProfileStep,
  type Denial,
  defaultProfile,
  explainDenial,
  getLabel,
  installDefaultProfile,
  isEnabled,
  isLoaded,
  type LoadOptions,
  listProfiles,
  loadProfile,
  type ProfileRules,
  parseDenial,
  probe,
  profileOnExecStep,
  profileText,
  removeProfile,
  startConfined,
  status,
} from '@libcontainer/apparmor'
import { openLabelsStep, type ProgramOutput, type Step, startProgram } from '@libcontainer/sys'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { requires, type TemporaryDirectory, temporaryDirectory } from '../../../test/support/index.js'

const needs = requires('root', 'lsm:apparmor', 'program:apparmor_parser')
const own = (name: string): string => `lc-${process.pid}-${name}`
const made = new Set<string>()
let cache: TemporaryDirectory

beforeAll(() => {
  cache = temporaryDirectory('apparmor-cache-')
})
afterAll(async () => {
  for (const name of made) await removeProfile(name)
  cache[Symbol.dispose]()
})

/** It may do everything but what is said. */
async function load(name: string, rules: Partial<ProfileRules> = {}, options: LoadOptions = {}): Promise<string> {
  const profile = {
    name: own(name),
    files: 'all',
    capabilities: 'all',
    network: 'all',
    ptrace: 'all',
    signals: 'all',
    ...rules,
  }
  await loadProfile(profile as ProfileRules, { cache: cache.path, ...options })
  const { namespace } = options
  const full = namespace === undefined ? own(name) : `:${namespace}:${own(name)}`
  made.add(namespace === undefined ? full : `:${namespace}:`)
  return full
}

const current = 'cat /proc/self/attr/apparmor/current'
async function confined(profile: string, script: string, when?: 'exec' | 'now'): Promise<ProgramOutput> {
  const program = await startConfined(['/bin/sh', '-c', script], { profile, when, stdio: 'pipe' })
  return await program.output()
}
async function after(steps: readonly Step[], ...argv: string[]): Promise<ProgramOutput> {
  return await (await startProgram({ steps: [openLabelsStep, ...steps] }, argv, { stdio: 'pipe' })).output()
}

test('AA-01 it is on, and enforces', needs, async () => {
  expect(await status()).toEqual({ enabled: true, mode: 'enforce' })
  expect([await isEnabled(), await isEnabled({ env: { container: 'lxc' } })]).toEqual([true, false])
  expect(await probe()).toMatchObject({ apparmor: { available: true, detail: 'enforce' }, parser: { available: true } })
})

test('AA-06 AA-07 profiles are loaded, listed with their modes, replaced and removed', needs, async () => {
  const name = await load('life')
  const mode = async () => (await listProfiles()).find(profile => profile.name === name)?.mode
  expect([await isLoaded(name), await mode()]).toEqual([true, 'enforce'])
  await load('life', { flags: ['complain'] })
  expect(await mode()).toBe('complain')
  await removeProfile(name)
  expect([await isLoaded(name), await mode()]).toEqual([false, undefined])
  await removeProfile(name)
})

test('AA-06 a text is compiled once', needs, async () => {
  using directory = temporaryDirectory('apparmor-once-')
  const compiled = (): string[] =>
    (readdirSync(`${directory.path}/compiled`, { recursive: true }) as string[])
      .map(file => `${directory.path}/compiled/${file}`)
      .filter(file => statSync(file).isFile() && !file.endsWith('.features'))
  await load('once', {}, { cache: directory.path })
  const [first, ...others] = compiled()
  expect([typeof first, others]).toEqual(['string', []])
  const { mtimeMs } = statSync(first!)
  await load('once', {}, { cache: directory.path })
  expect([compiled(), statSync(first!).mtimeMs]).toEqual([[first], mtimeMs])
  await load('once', { flags: ['complain'] }, { cache: directory.path })
  expect(compiled().length).toBe(2)
})

test(
  'AA-05 EV-114 what the parser refuses, and its absence, are told with the remedy; nothing is loaded',
  needs,
  async () => {
    const before = await listProfiles()
    const options = { cache: cache.path }
    await expect(loadProfile(`profile ${own('bad')} { no such rule }`, options)).rejects.toMatchObject({
      code: 'ProfileRefused',
      message: expect.stringMatching(/apparmor_parser ended with \d+: .*syntax error/s),
    })
    await expect(
      loadProfile(defaultProfile(own('bad')), { ...options, parser: '/absent/apparmor_parser' }),
    ).rejects.toMatchObject({ code: 'ENOENT', hint: expect.stringContaining('install the package apparmor') })
    await expect(loadProfile(defaultProfile(own('bad')), { ...options, namespace: 'a b' })).rejects.toThrow(
      /^namespace: /,
    )
    expect(await listProfiles()).toEqual(before)
  },
)

test('AA-05 the default profile in a file, and loaded', needs, async () => {
  using directory = temporaryDirectory('apparmor-installed-')
  const name = own('installed')
  made.add(name)
  const path = `${directory.path}/docker`
  expect(await installDefaultProfile({ name, path })).toBe(true)
  expect(readFileSync(path, 'utf8')).toContain(`profile ${name} `)
  expect([await isLoaded(name), readdirSync(directory.path)]).toEqual([true, ['docker']])
})

test('AA-02 AA-07 a program under a profile, which this process does not get', needs, async () => {
  const name = await load('deny', { deniedFiles: [{ path: '/etc/hostname', permissions: 'r' }] })
  const program = await startConfined(['/bin/sleep', '1000'], { profile: name, stdio: 'null' })
  try {
    expect(await getLabel(program.pid)).toEqual({
      text: name,
      confined: true,
      mode: 'enforce',
      profiles: [{ name }],
    })
    expect(await getLabel(program.pid, 'exec')).toBeUndefined()
  } finally {
    await program[Symbol.asyncDispose]()
  }
  for (const when of ['exec', 'now'] as const) {
    const { status, stdout, stderr } = await confined(name, `${current}; cat /etc/hostname`, when)
    expect([status.code, stdout]).toEqual([1, `${name} (enforce)\n`])
    expect(stderr).toContain('Permission denied')
  }
  expect((await getLabel())?.text).toBe('unconfined')
  const steps = await applyProfile(name)
  const { stdout } = await (await startProgram({ steps }, ['/bin/sh', '-c', current], { stdio: 'pipe' })).output()
  expect(stdout).toBe(`${name} (enforce)\n`)
})

test('AA-02 now: the profile judges the exec of the program itself', needs, async () => {
  const name = await load('no-exec', { files: [{ path: '/**', permissions: 'rwm' }] })
  await expect(confined(name, 'true', 'now')).rejects.toMatchObject({ code: 'EACCES', syscall: 'execve' })
})

test('AA-02 EV-114 an unknown profile is an error with its remedy, and the program does not run', needs, async () => {
  using directory = temporaryDirectory('apparmor-ran-')
  const ran = `${directory.path}/ran`
  for (const when of ['exec', 'now'] as const)
    for (const profile of [own('absent'), `&${own('absent')}`, `:absent:${own('absent')}`])
      await expect(confined(profile, `touch ${ran}`, when), `${profile} ${when}`).rejects.toMatchObject({
        code: 'ENOENT',
        hint: expect.stringContaining('is loaded: apparmor_parser --replace'),
      })
  expect(existsSync(ran)).toBe(false)
})

test('AA-09 profiles are stacked: what is done must be allowed by each', needs, async () => {
  const [one, two] = [
    // The procfs of the next step lies in no tree, and a profile has to say that this is fine.
    await load('one', {
      flags: ['attach_disconnected'],
      deniedFiles: [{ path: '/etc/hostname', permissions: 'r' }],
      more: ['change_profile,'],
    }),
    await load('two', { deniedFiles: [{ path: '/etc/passwd', permissions: 'r' }] }),
  ]
  const script = `${current}; cat /etc/hostname; cat /etc/passwd; cat /etc/group > /dev/null && echo group`
  for (const second of [profileOnExecStep(`&${two}`), changeProfileStep(`&${two}`)]) {
    const { stdout, stderr } = await after([changeProfileStep(one), second], '/bin/sh', '-c', script)
    expect(stdout).toBe(`${one}//&${two} (enforce)\ngroup\n`)
    expect(stderr.match(/Permission denied/g)?.length).toBe(2)
  }
})

test('AA-09 a profile of a policy namespace', needs, async () => {
  const namespace = own('ns')
  const name = await load('inner', {}, { namespace })
  expect(name).toBe(`:${namespace}:${own('inner')}`)
  expect(await isLoaded(name)).toBe(true)
  expect(await isLoaded(own('inner'))).toBe(false)
  const program = await startConfined(['/bin/sleep', '1000'], { profile: name, stdio: 'null' })
  try {
    expect((await getLabel(program.pid))?.profiles).toEqual([{ namespace, name: own('inner') }])
  } finally {
    await program[Symbol.asyncDispose]()
  }
  await removeProfile(`:${namespace}:`)
  expect(await isLoaded(name)).toBe(false)
})

test('no_new_privs keeps a confined process from a profile that allows more, and not from a stack', needs, async () => {
  const narrow = await load('narrow', {
    deniedFiles: [{ path: '/etc/hostname', permissions: 'r' }],
    more: ['change_profile,'],
  })
  const wide = await load('wide')
  const asked = async (words: string, ...by: string[]) =>
    await after(
      [changeProfileStep(narrow)],
      ...[...by, '/bin/sh', '-c'],
      `echo "${words}" > /proc/self/attr/apparmor/exec && exec cat /proc/self/attr/apparmor/current`,
    )
  const limited = ['setpriv', '--no-new-privs']
  expect((await asked(`exec ${wide}`)).stdout).toBe(`${wide} (enforce)\n`)
  // As EPERM, which not every shell calls by its name.
  expect(await asked(`exec ${wide}`, ...limited)).toMatchObject({
    stdout: '',
    stderr: expect.stringMatching(/echo: .*(I\/O error|not permitted)/),
  })
  expect((await asked(`stack ${wide}`, ...limited)).stdout).toBe(`${narrow}//&${wide} (enforce)\n`)
  // From nothing to something is fine.
  const { stdout } = await (
    await startConfined(['setpriv', '--no-new-privs', '/bin/sh', '-c', current], { profile: narrow, stdio: 'pipe' })
  ).output()
  expect(stdout).toBe(`${narrow} (enforce)\n`)
})

test('a denial of this kernel is read, and explained with the rule that allows it', needs, async () => {
  const name = await load('told', { files: [{ path: '/{,usr/}{bin,lib,lib64}/**', permissions: 'rmix' }] })
  const denials = (): Denial[] =>
    readKernelLog()
      .flatMap(line => parseDenial(line) ?? [])
      .filter(({ profile }) => profile === name)
  // The kernel tells only some of many.
  await expect
    .poll(
      async () => {
        await confined(name, 'cat /etc/hostname')
        return denials().map(explainDenial)
      },
      { timeout: 30_000, interval: 500 },
    )
    .toContain(`cat under ${name} may not read /etc/hostname; the rule that allows it: /etc/hostname r,`)
  const denial = denials().find(({ name }) => name === '/etc/hostname')!
  expect(denial).toMatchObject({ verdict: 'DENIED', operation: 'open', requested: 'r', denied: 'r', command: 'cat' })
  // And so it does.
  await load('told', {
    files: [
      { path: '/{,usr/}{bin,lib,lib64}/**', permissions: 'rmix' },
      { path: '/etc/hostname', permissions: 'r' },
    ],
  })
  expect((await confined(name, 'cat /etc/hostname')).status.code).toBe(0)
})

test('AA-04 what is generated is what the kernel enforces, with abi and mounts', needs, async () => {
  using directory = temporaryDirectory('apparmor-mounts-')
  const name = await load('mounts', {
    abi: 'abi/3.0',
    mounts: [{ fstype: 'tmpfs', target: `${directory.path}/` }, { action: 'umount' }],
  })
  expect(profileText({ name, abi: 'abi/3.0' })).toMatch(/^abi <abi\/3.0>,/)
  const at = (path: string) => confined(name, `mount -t tmpfs none ${path} && umount ${path}`)
  writeFileSync(`${directory.path}/file`, '')
  expect((await at(directory.path)).status.code).toBe(0)
  // mount(8) takes EACCES for a disk that cannot be written to.
  expect((await at('/mnt')).stderr).toMatch(/mount: \/mnt: (cannot mount|permission denied)/)
})

function readKernelLog(): string[] {
  const { stdout } = spawnSync('dmesg', [], { encoding: 'utf8', maxBuffer: 1 << 26 })
  return stdout.split('\n')
}
