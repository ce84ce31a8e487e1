import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { table } from '../src/commands.js'
import { Bundle, either } from './hosts.js'

/** The flags that callers of other runtimes say, by command. */
const expected: Readonly<Record<string, string>> = {
  create: 'bundle b console-socket pidfd-socket pid-file no-pivot no-new-keyring preserve-fds config f no-subreaper',
  run: 'bundle b console-socket pidfd-socket pid-file no-pivot no-new-keyring preserve-fds detach d keep no-subreaper config f',
  exec: 'console-socket pidfd-socket cwd env e tty t user u additional-gids g process p detach d pid-file process-label apparmor no-new-privs cap c preserve-fds cgroup ignore-paused no-subreaper',
  kill: 'all a regex r',
  delete: 'force f regex r',
  list: 'format f quiet q',
  ps: 'format f',
  events: 'interval stats',
  update:
    'resources r blkio-weight cpu-period cpu-quota cpu-burst cpu-share cpu-rt-period cpu-rt-runtime cpuset-cpus cpuset-mems cpu-idle memory memory-reservation memory-swap pids-limit l3-cache-schema mem-bw-schema kernel-memory kernel-memory-tcp',
  spec: 'bundle b rootless file f',
  checkpoint:
    'image-path work-path parent-path leave-running tcp-established tcp-skip-in-flight link-remap ext-unix-sk shell-job lazy-pages status-fd page-server file-locks pre-dump manage-cgroups-mode empty-ns auto-dedup',
  restore:
    'console-socket image-path work-path tcp-established ext-unix-sk shell-job file-locks manage-cgroups-mode bundle b detach d pid-file no-subreaper no-pivot empty-ns auto-dedup lazy-pages lsm-profile lsm-mount-context',
}

describe('the table has all that other runtimes have', () => {
  test.each(Object.entries(expected))('OL-04 OL-06 OL-07 OL-08 OL-09 flags of %s', (name, flags) => {
    const command = table.commands.find(each => each.name === name)!
    const known = command.flags.flatMap(flag => [flag.name, ...(flag.short === undefined ? [] : [flag.short])])
    expect(flags.split(' ').filter(flag => !known.includes(flag))).toEqual([])
  })

  test('OL-01 XT-01 XT-13 flags before the command', () => {
    const known = table.flags.flatMap(flag => [flag.name, ...(flag.short === undefined ? [] : [flag.short])])
    const flags =
      'debug log log-format root systemd-cgroup rootless help h version v criu cgroup-manager log-level no-pivot systemd-log'
    expect(flags.split(' ').filter(flag => !known.includes(flag))).toEqual([])
  })

  test('OL-21 what may be repeated, and what the last of counts', () => {
    const repeated = table.commands.flatMap(({ name, flags }) =>
      flags.filter(({ repeats }) => repeats).map(flag => `${name} ${flag.name}`),
    )
    expect(repeated.filter(flag => flag.startsWith('exec'))).toEqual([
      'exec env',
      'exec additional-gids',
      'exec cap',
      'exec cgroup',
    ])
  })

  test('no two flags of a command share a name or letter', () => {
    for (const { flags, name } of table.commands) {
      const words = flags.flatMap(flag => [flag.name, ...(flag.short ? [flag.short] : [])])
      expect({ name, words: [...new Set(words)] }).toEqual({ name, words })
    }
  })
})

describe.each(either)('$name', host => {
  test('OL-22 completion prints a script for each shell, and man a page', host.asks, () => {
    using bundle = new Bundle(host, {})
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { status, stdout, stderr } = bundle.run(['completion', shell])
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      for (const { name, internal } of table.commands) if (!internal) expect(stdout).toContain(name)
    }
    expect(bundle.run(['completion', 'tcsh'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('bash, zsh, fish'),
    })
    expect(bundle.run(['man']).stdout).toMatch(/^\.TH LCRUN 8 /)
    expect(bundle.run(['man', 'exec']).stdout).toContain('\\-\\-additional\\-gids')
    expect(bundle.run(['man', 'nope'])).toMatchObject({ status: 1 })
  })

  test('OL-22 bash completes the commands and the ids of containers', {
    ...host.needs,
    ...requires('root', 'rootfs', 'program:bash'),
  }, () => {
    using bundle = new Bundle(host)
    bundle.sleeping()
    const [program, ...words] = host.command
    const lcrun = `lcrun() { ${[program, ...words].map(word => `'${word}'`).join(' ')} "$@"; }`
    const complete = (...line: string[]) => {
      const script = `${lcrun}; source <(lcrun completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _lcrun; echo "\${COMPREPLY[*]}"`
      return spawnSync('bash', ['-c', script, 'bash', ...line], { encoding: 'utf8' }).stdout.trim()
    }
    expect(complete('lcrun', 'che')).toBe('checkpoint')
    expect(complete('lcrun', 'delete', '--fo')).toBe('--force')
    expect(complete('lcrun', '--root', bundle.stateRoot, 'state', '')).toBe(bundle.id)
  })
})
