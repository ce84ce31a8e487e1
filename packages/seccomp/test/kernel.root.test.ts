import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import {
  checkSupport,
  compile,
  defaultProfile,
  evaluate,
  features,
  filterSteps,
  nativeArch,
  nsinitProfile,
  type Profile,
  seccompSteps,
  seccompSupport,
  syscallName,
} from '@libcontainer/seccomp'
import { binding, ConfigInvalid, type Step } from '@libcontainer/sys'
import { afterAll, describe, expect, test } from 'vitest'
import { requires, type TemporaryDirectory, temporaryDirectory } from '../../../test/support/index.js'
import { Driver } from '../../sys/test/driver.js'
import { syscallTable } from '../src/syscalls.js'
import { Random, VALUES } from './profiles.js'

const needs = requires('root', 'program:gcc')
const driver = new Driver(['seccomp'])
let directory: TemporaryDirectory | undefined

afterAll(() => {
  driver.close()
  directory?.[Symbol.dispose]()
})

/** test/caller.c, static: what it does between exec and the calls is little. */
function caller(): string {
  if (directory === undefined) {
    directory = temporaryDirectory('libcontainer-seccomp-')
    const source = join(import.meta.dirname, 'caller.c')
    execFileSync('gcc', ['-Wall', '-Wextra', '-O1', '-static', '-o', join(directory.path, 'caller'), source])
  }
  return join(directory.path, 'caller')
}

interface Call {
  bits?: 32 | 64
  nr: number
  args?: readonly (number | bigint)[]
}

/** What the calls answer in a process that has loaded the steps' filter; how that process ended. */
async function callUnder(steps: readonly Step[], calls: readonly Call[]): Promise<{ results: number[]; end: string }> {
  const child = driver.start(steps, { argv: [caller()] })
  const ended = once(child, 'close')
  // A filter may end the process before it has read all.
  child.stdin!.on('error', () => {})
  child.stdin!.end(
    calls
      .map(
        ({ bits = 64, nr, args = [] }) =>
          `${[bits, nr, ...Array.from({ length: 6 }, (_, i) => args[i] ?? 0)].join(' ')}\n`,
      )
      .join(''),
  )
  const [out, err] = await Promise.all([text(child.stdout!), text(child.stderr!)])
  const [code, signal] = (await ended) as [number | null, string | null]
  expect(err).toBe('')
  return { results: out.split('\n').filter(Boolean).map(Number), end: signal ?? `${code}` }
}

describe('filters in the running kernel', needs, () => {
  test('SC-17 whatever the default profile refuses, the kernel refuses with that errno', async () => {
    const arch = nativeArch()
    const profile = defaultProfile({ arch })
    const refused = Array.from({ length: 600 }, (_, nr) => ({ nr, verdict: evaluate(profile, arch, nr) })).filter(
      ({ verdict }) => verdict.action === 'SCMP_ACT_ERRNO',
    )
    const { results, end } = await callUnder(seccompSteps(profile), refused)
    expect(end).toBe('0')
    expect(refused.length).toBeGreaterThan(100)
    refused.forEach(({ nr, verdict }, i) => {
      expect(results[i], syscallName(arch, nr) ?? `${nr}`).toBe(-verdict.data!)
    })
  })

  test('SC-17 programs run under the default profile', async () => {
    const steps = seccompSteps(defaultProfile())
    const shell = 'x=$(printf %s hello | cat) && ls / >/dev/null && (sleep 0.01 & wait) && echo $x'
    const sh = await driver.run(steps, { argv: ['/bin/sh', '-c', shell] })
    expect(sh).toEqual({ code: 0, stdout: 'hello\n', stderr: '' })
    const script =
      "new Worker('0', { eval: true }).on('exit', code => console.log(require('os').cpus().length > 0, code))"
    const argv = [process.execPath, '-e', `const { Worker } = require('worker_threads'); ${script}`]
    const node = await driver.run(steps, { argv })
    expect(node).toEqual({ code: 0, stdout: 'true 0\n', stderr: '' })
    const unshare = await driver.run(steps, { argv: ['unshare', '--user', 'true'] })
    expect(unshare).toMatchObject({ code: 1, stderr: expect.stringContaining('Operation not permitted') })
  })

  test('SC-05 SC-06 conditions on arguments: the kernel agrees with the profile', { timeout: 60_000 }, async () => {
    const arch = nativeArch()
    // Calls that take no arguments, so that a filter alone looks at those that are given.
    const harmless = ['getpid', 'getppid', 'getuid', 'getgid', 'geteuid', 'getegid', 'gettid']
    const table = syscallTable(arch)
    let compared = 0
    for (let seed = 1; seed <= 12; seed++) {
      const random = new Random(seed)
      const rules = Array.from({ length: 12 }, () => ({
        names: [random.pick(harmless)],
        action: 'SCMP_ACT_ERRNO' as const,
        errnoRet: 100 + random.below(30),
        args: Array.from({ length: 1 + random.below(3) }, () => ({
          index: random.below(6),
          value: random.pick(VALUES),
          valueTwo: random.pick(VALUES),
          op: random.pick(features().operators),
        })),
      }))
      const profile: Profile = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: rules }
      const calls = Array.from({ length: 200 }, () => ({
        nr: table.numbers[table.names.indexOf(random.pick(harmless))]!,
        args: Array.from({ length: 6 }, () => random.pick(VALUES)),
      }))
      const { results } = await callUnder(seccompSteps(profile), calls)
      calls.forEach(({ nr, args }, i) => {
        const verdict = evaluate(profile, arch, nr, args)
        const context = `seed ${seed}: ${syscallName(arch, nr)}(${args})`
        if (verdict.action === 'SCMP_ACT_ERRNO') expect(results[i], context).toBe(-verdict.data!)
        else expect(results[i], context).toBeGreaterThanOrEqual(0)
        compared++
      })
    }
    expect(compared).toBe(2400)
  })

  test('SC-04 each action does in the kernel what its name says', async () => {
    const nr = syscallTable(nativeArch()).numbers[syscallTable(nativeArch()).names.indexOf('getppid')]!
    const under = (rule: object) => {
      const profile = {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['getppid'], ...rule }],
      } as unknown as Profile
      return callUnder(seccompSteps(profile), [{ nr }])
    }
    expect(await under({ action: 'SCMP_ACT_ERRNO' })).toEqual({ results: [-1], end: '0' })
    expect(await under({ action: 'SCMP_ACT_ERRNO', errnoRet: 4095 })).toEqual({ results: [-4095], end: '0' })
    expect(await under({ action: 'SCMP_ACT_ERRNO', errnoRet: 0 })).toEqual({ results: [0], end: '0' })
    expect(await under({ action: 'SCMP_ACT_KILL_PROCESS' })).toEqual({ results: [], end: 'SIGSYS' })
    expect(await under({ action: 'SCMP_ACT_KILL' })).toEqual({ results: [], end: 'SIGSYS' })
    expect(await under({ action: 'SCMP_ACT_TRAP' })).toEqual({ results: [], end: 'SIGSYS' })
    // With no tracer a traced call does not happen.
    expect(await under({ action: 'SCMP_ACT_TRACE' })).toEqual({ results: [-38], end: '0' })
    const logged = await under({ action: 'SCMP_ACT_LOG' })
    expect(logged).toEqual({ results: [expect.any(Number)], end: '0' })
    expect(logged.results[0]).toBeGreaterThan(0)
  })

  test('EV-185 a default of KILL without rules fails visibly', async () => {
    const { results, end } = await callUnder(seccompSteps({ defaultAction: 'SCMP_ACT_KILL' }), [])
    expect({ results, end }).toEqual({ results: [], end: 'SIGSYS' })
  })

  test('SC-07 calls of x86 and x32 are looked at on x86_64, and killed where the profile does not name them', async context => {
    context.skip(nativeArch() !== 'x86_64', `${nativeArch()} has neither`)
    const getppid = (change: Partial<Profile>): readonly Step[] =>
      seccompSteps({
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['getppid'], action: 'SCMP_ACT_ERRNO', errnoRet: 99 }],
        ...change,
      })
    const x86 = [{ bits: 32, nr: 64 } as const]
    expect(await callUnder(getppid({ architectures: ['SCMP_ARCH_X86'] }), x86)).toEqual({ results: [-99], end: '0' })
    expect(await callUnder(getppid({}), x86)).toEqual({ results: [], end: 'SIGSYS' })
    const x32 = [{ nr: 0x40000000 + 110 }]
    expect(await callUnder(getppid({ architectures: ['SCMP_ARCH_X32'] }), x32)).toEqual({ results: [-99], end: '0' })
    expect(await callUnder(getppid({}), x32)).toEqual({ results: [], end: 'SIGSYS' })
  })

  test('CL-20 under nsinit’s high level programs run and the refused calls are EPERM', async () => {
    const arch = nativeArch()
    const profile = nsinitProfile('high')
    const calls = syscallTable(arch)
      .names.map((name, i) => ({ name, nr: syscallTable(arch).numbers[i]! }))
      .filter(({ name }) => evaluate(profile, arch, name).data === 1)
    const { results, end } = await callUnder(seccompSteps(profile), calls)
    expect(end).toBe('0')
    expect(results).toEqual(calls.map(() => -1))
    expect(calls.length).toBeGreaterThan(25)
  })

  test('SC-15 a filter that is compiled already is loaded as it is', async () => {
    const arch = nativeArch()
    const { filter } = compile({ defaultAction: 'SCMP_ACT_ALLOW' }, { arch })
    expect(await callUnder(filterSteps({ filter }), [])).toEqual({ results: [], end: '0' })
    expect(() => filterSteps({ filter: filter.subarray(3) })).toThrow(ConfigInvalid)
  })

  test('SC-08 the kernel takes every flag, and refuses what it does not know by errno', async () => {
    const { filter } = compile({ defaultAction: 'SCMP_ACT_ALLOW' }, { arch: nativeArch() })
    const flags = compile(
      { defaultAction: 'SCMP_ACT_ALLOW', flags: features().knownFlags },
      { arch: nativeArch() },
    ).flags
    expect(await driver.run(filterSteps({ filter, flags }))).toMatchObject({ code: 0 })
    expect(await driver.run(filterSteps({ filter, flags: 1 << 20 }))).toMatchObject({
      code: 99,
      stderr: '0 22 seccomp \n',
    })
  })

  test('SC-12 a rule that notifies makes a listener', async () => {
    const profile: Profile = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' }],
    }
    const steps = seccompSteps(profile, { listener: 'listener' })
    const print: Step = { op: 'driverPrint', args: [{ slot: 'listener' }], about: 'print the descriptor' }
    const { code, stdout } = await driver.run([...steps, print])
    expect(code).toBe(0)
    expect(Number(stdout.split(' ')[1])).toBeGreaterThan(2)
  })

  test('SC-11 without no_new_privs an unprivileged process loads no filter: EACCES, and no_new_privs is not set for it', async () => {
    const drop: Step = { op: 'driverSwitchUser', args: [65534], about: 'become nobody' }
    const steps = seccompSteps({ defaultAction: 'SCMP_ACT_ALLOW' })
    expect(await driver.run([drop, ...steps])).toMatchObject({ code: 99, stderr: '1 13 seccomp \n' })
    const show: Step = { op: 'driverPrintFile', args: ['/proc/self/status'], about: 'print the status' }
    const { stdout } = await driver.run([...steps, show])
    expect(stdout).toMatch(/^NoNewPrivs:\t0$/m)
    expect(stdout).toMatch(/^Seccomp:\t2$/m)
  })

  test('Node.js itself never gets a filter', async () => {
    const own = binding<object>('seccomp', new URL('../dist/native.js', import.meta.url).href)
    const loading = own.apply(seccompSteps({ defaultAction: 'SCMP_ACT_ALLOW' }))
    await expect(loading).rejects.toMatchObject({ code: 'EPERM', syscall: 'seccomp' })
    expect(readFileSync('/proc/self/status', 'utf8')).toMatch(/^Seccomp:\t0$/m)
  })

  test('SC-08 EV-180 probe tells what the kernel has, and a profile that needs more is refused with that reason', () => {
    const support = seccompSupport()
    expect(support.filters).toBe(true)
    const kernel = readFileSync('/proc/sys/kernel/seccomp/actions_avail', 'utf8').trim().split(' ')
    const names = { errno: 'ERRNO', user_notif: 'NOTIFY' } as Record<string, string>
    for (const name of kernel) {
      expect(support.actions).toContain(`SCMP_ACT_${names[name] ?? name.toUpperCase()}`)
    }
    expect(support.actions.length).toBe(kernel.length + 1)
    expect(support.flags).toEqual(features().knownFlags)

    const old = { filters: true, actions: ['SCMP_ACT_ALLOW', 'SCMP_ACT_ERRNO'], flags: [] } as const
    const profile: Profile = {
      defaultAction: 'SCMP_ACT_ALLOW',
      flags: ['SECCOMP_FILTER_FLAG_LOG'],
      syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_LOG' }],
    }
    expect(() => checkSupport(profile, support)).not.toThrow()
    expect(() => checkSupport(profile, old)).toThrow(
      'seccomp.syscalls[0].action: is an action that this kernel does not have',
    )
    expect(() => checkSupport({ ...profile, syscalls: [] }, old, 'linux.seccomp')).toThrow(
      /^linux\.seccomp\.flags\[0\]: /,
    )
    expect(() => checkSupport(profile, { ...old, filters: false })).toThrow('the kernel has no seccomp filters')
    expect(evaluate(defaultProfile(), nativeArch(), 'read')).toEqual({ action: 'SCMP_ACT_ALLOW' })
  })
})
