import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { table } from '../src/commands.js'
import { Bundle, either, specOf } from './hosts.js'

/** The flags of a command as runc's help tells them: by name, whether each has a value. */
function flagsOfRunc(command: string): Map<string, boolean> {
  const { stdout, stderr } = spawnSync('runc', [...(command === '' ? [] : [command]), '--help'], { encoding: 'utf8' })
  const heads = (stdout + stderr).split('\n').flatMap(line => /^ {3}(-.*?)(?: {2,}|$)/.exec(line)?.[1] ?? [])
  return new Map(
    heads.flatMap(head =>
      [...head.matchAll(/(?:^|, )--?([\w-]+)( value)?/g)].map(
        ([, name, value]) => [name!, value !== undefined] as const,
      ),
    ),
  )
}

describe('OL-01 to OL-20: what runc takes', () => {
  const names = [
    '',
    ...table.commands
      .filter(({ name }) => !['info', 'mounts', 'plan', 'doctor'].includes(name))
      .map(({ name }) => name),
  ]

  test.each(names)(
    'OL-01 OL-04 OL-06 OL-07 OL-18 OL-19 every flag that runc %s tells of',
    requires('program:runc'),
    name => {
      const command = table.commands.find(each => each.name === name)
      const ours = new Map(
        [...(command?.flags ?? table.flags), ...table.flags.filter(({ name }) => name === 'help')].flatMap(
          ({ name, short = name, value }) => [
            [name, value !== undefined],
            [short, value !== undefined],
          ],
        ),
      )
      for (const [flag, value] of flagsOfRunc(name)) expect({ flag, value: ours.get(flag) }).toEqual({ flag, value })
    },
  )

  test('OL-07 exec knows --no-subreaper, which earlier ones had', () => {
    const exec = table.commands.find(({ name }) => name === 'exec')!
    expect(exec.flags.map(({ name }) => name)).toContain('no-subreaper')
  })
})

describe.each(either)('$name', host => {
  test('OL-01 OL-04 OL-07 an empty value says nothing, and the last of two counts', host.needs, () => {
    using bundle = new Bundle(host, specOf(['/bin/sleep', '1000']))
    const { id } = bundle
    const log = bundle.file('log')
    const globals = ['--log', log, '--log', '', '--log-format', '', '--criu', '', '--rootless', '']
    const create = ['create', '--bundle', '', '--config=', '--console-socket', '', '--pidfd-socket', '']
    const pidFile = bundle.file('pid')
    expect(bundle.detached([...globals, ...create, '--pid-file', pidFile, '--pid-file', '', id])).toEqual({
      status: 0,
      stdout: '',
      stderr: '',
    })
    expect([existsSync(log), existsSync(pidFile)]).toEqual([false, false])
    expect(bundle.run(['start', id])).toMatchObject({ status: 0 })
    const exec = [
      '--process',
      '',
      '--cwd',
      '',
      '--apparmor',
      '',
      '--process-label',
      '',
      '--pid-file',
      '',
      '--no-subreaper',
    ]
    expect(bundle.run(['exec', ...exec, id, 'sh', '-c', 'pwd; echo $OWN'])).toEqual({
      status: 0,
      stdout: '/\nof the config\n',
      stderr: '',
    })
    expect(bundle.run(['update', '--memory', '', '--cpuset-cpus', '', '--resources', '', id])).toMatchObject({
      status: 0,
    })
    for (const args of [
      ['list', '--format', ''],
      ['exec', '--preserve-fds', '', id, 'true'],
      ['update', '--pids-limit', '', id],
      ['events', '--interval', '', id],
      ['--root', '', 'list'],
    ])
      expect({ args, ...bundle.run(args) }).toMatchObject({
        args,
        status: args[0] === 'exec' ? 255 : 1,
        stderr: expect.stringMatching(/--|root/),
      })
  })

  test('OL-07 exec in a container without a record takes user and environment of the bundle', host.needs, () => {
    const user = { uid: 7, gid: 8, additionalGids: [9] }
    using bundle = new Bundle(host, specOf(['/bin/sleep', '1000'], { process: { user, cwd: '/tmp' } }))
    const { id } = bundle
    expect(bundle.detached(['run', '-d', id])).toMatchObject({ status: 0 })
    const asked = () => bundle.run(['exec', id, 'sh', '-c', 'echo $(id -u) $(id -G) $OWN; pwd'])
    const before = asked()
    expect(before).toMatchObject({ status: 0, stdout: '7 8 9 of the config\n/tmp\n' })
    rmSync(`${bundle.stateRoot}/${id}/lcrun.json`)
    expect(asked()).toEqual(before)
    rmSync(bundle.file('config.json'))
    expect(asked()).toMatchObject({ status: 255, stdout: '', stderr: expect.stringContaining('config.json') })
  })

  test('OL-12 ps shows what a process has put into its name, and does not obey it', host.needs, () => {
    using bundle = new Bundle(host, specOf(['/bin/sh', '-c', 'sleep 1000; true', 'a\x1b[2J\u009b\x07']))
    expect(bundle.detached(['run', '-d', bundle.id])).toMatchObject({ status: 0 })
    const { stdout } = bundle.run(['ps', bundle.id])
    expect(stdout).toContain('sleep 1000')
    expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
  })

  test('OL-11 EV-193 a bundle with control characters in its path: none in a table or an error', host.needs, () => {
    using bundle = new Bundle(host, specOf(['/bin/sleep', '1000']))
    const odd = bundle.file('od\x1b[31md\n')
    const { status, stderr } = bundle.run(['run', '--bundle', odd, bundle.id])
    expect(status).toBe(1)
    expect(stderr).toContain('od\\x1b[31md')
    expect(stderr.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
    mkdirSync(odd)
    writeFileSync(`${odd}/config.json`, readFileSync(bundle.file('config.json')))
    expect(bundle.detached(['run', '-d', '--bundle', odd, bundle.id])).toMatchObject({ status: 0 })
    const { stdout } = bundle.run(['list'])
    expect(stdout).toContain('od\\x1b[31md\\n ')
    expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
  })

  test(
    'OL-15 EV-162 update tells of a limit by the flag or the place in the file that asked for it',
    host.needs,
    () => {
      using bundle = new Bundle(host)
      bundle.sleeping()
      const { id } = bundle
      const told = (args: readonly string[], input = '') => {
        const { status, stderr } = bundle.run(['update', ...args, id], { input })
        return { status, field: /^lcrun: ([^ :]+): /.exec(stderr)?.[1] ?? stderr }
      }
      expect(told(['--cpuset-cpus', '3-1'])).toEqual({ status: 1, field: '--cpuset-cpus' })
      expect(told(['--memory', '1x'])).toEqual({ status: 1, field: '--memory' })
      expect(told(['--cpu-quota', '-7'])).toEqual({ status: 1, field: '--cpu-quota' })
      expect(told(['-r', '-'], '{"cpu":{"cpus":"3-1"}}')).toEqual({ status: 1, field: 'linux.resources.cpu.cpus' })
      expect(told(['-r', '-'], '{"cpu":{"quota":-7}}')).toEqual({ status: 1, field: 'linux.resources.cpu.quota' })
      const { status, stderr } = bundle.run(['update', '--kernel-memory', '1m', '--kernel-memory-tcp', '1m', id])
      expect(status).toBe(0)
      expect(stderr).toMatch(/warning: --kernel-memory: changes nothing.*5\.16\n.*--kernel-memory-tcp: changes nothing/)
    },
  )

  test('plan tells of a fault in the words of config.json', host.needs, () => {
    using bundle = new Bundle(host, specOf(['true'], { linux: { resources: { cpu: { cpus: '3-1' } } } }))
    expect(bundle.run(['plan'])).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/linux\.resources\.cpu\.cpus: /),
    })
  })

  test('MT-46 XT-04 mounts that are none, by their place in the file', host.needs, () => {
    using bundle = new Bundle(host)
    const told = (text: string) => {
      writeFileSync(bundle.file('mounts.json'), text)
      return bundle.run(['mounts', 'add', 'x', bundle.file('mounts.json')]).stderr
    }
    expect(told('[{"destination":5}]')).toMatch(/mounts\[0\]\.destination: must be a string/)
    expect(told('{"mounts":[{"destination":"/x","options":"ro"}]}')).toMatch(/mounts\[0\]\.options: must be a list/)
    expect(told('{}')).toMatch(/must hold a list of mounts/)
    expect(told('[{]')).toMatch(/line 1, column 3: is no JSON/)
  })
})
