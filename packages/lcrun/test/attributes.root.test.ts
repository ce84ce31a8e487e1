import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Bundle, either, specOf } from './hosts.js'

const script = [
  'cat /proc/self/oom_score_adj /proc/self/personality',
  'grep "open files" /proc/self/limits | tr -s " " | cut -d" " -f4,5',
  'ionice',
  'umask',
  // Nice and policy.
  'cut -d")" -f2 /proc/self/stat | cut -d" " -f18,40',
  'head -n 1 /proc/self/numa_maps | cut -d" " -f2',
  'grep Cpus_allowed_list /proc/self/status | cut -f2',
].join('; ')
const all = readFileSync('/sys/devices/system/cpu/online', 'utf8').trim()

/** What says it all, in the words of a config.json. */
const attributes = {
  oomScoreAdj: 300,
  rlimits: [{ type: 'RLIMIT_NOFILE', soft: 64, hard: 65 }],
  scheduler: { policy: 'SCHED_BATCH', nice: 3 },
  ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 6 },
  execCPUAffinity: { initial: '0', final: ' 0 ,' },
}
const linux = {
  personality: { domain: 'LINUX32' },
  memoryPolicy: { mode: 'MPOL_BIND', nodes: '0', flags: ['MPOL_F_STATIC_NODES'] },
}

describe.each(either)('$name', host => {
  test(
    'PP-01 PP-03 PP-09 PP-10 PP-11 PP-12 PP-20 what config.json says of a process, it has, and exec starts from it',
    host.needs,
    () => {
      const process = { ...attributes, user: { uid: 0, gid: 0, umask: 0o27 } }
      const expected = ['300', '00000008', '64 65', 'best-effort: prio 6', '0027', '3 3', 'bind=static:0']
      using bundle = new Bundle(host, specOf(['/bin/sh', '-c', script], { process, linux }))
      const { stdout, stderr, status } = bundle.run(['run', bundle.id])
      // The affinity is of further processes alone.
      expect({ lines: stdout.trim().split('\n'), stderr, status }).toEqual({
        lines: [...expected, all],
        stderr: '',
        status: 0,
      })
      using sleeping = new Bundle(host)
      sleeping.sleeping(sleeping.id, specOf(['/bin/sleep', '1000'], { process, linux }))
      const further = sleeping.run(['exec', sleeping.id, '/bin/sh', '-c', script])
      expect(further.stdout.trim().split('\n')).toEqual([...expected, '0'])
    },
  )

  test.each([
    [{ process: { scheduler: { policy: 'SCHED_OTHER', priority: 5 } } }, 'process.scheduler.priority'],
    [{ process: { ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 8 } } }, 'process.ioPriority.priority'],
    [{ process: { execCPUAffinity: { initial: '3-1' } } }, 'process.execCPUAffinity.initial'],
    [{ process: { oomScoreAdj: 1001 } }, 'process.oomScoreAdj'],
    [{ process: { rlimits: [{ type: 'RLIMIT_CORE', soft: 2, hard: 1 }] } }, 'process.rlimits[0].soft'],
    [{ linux: { memoryPolicy: { mode: 'MPOL_BIND' } } }, 'linux.memoryPolicy.nodes'],
    [{ linux: { personality: { domain: 'BSD' } } }, 'linux.personality.domain'],
  ])('EV-104 EV-106 EV-107 EV-109 EV-110 EV-111 EV-112 %j is refused by its place', host.needs, (more, place) => {
    using bundle = new Bundle(host, specOf(['/bin/true'], more))
    const { status, stderr } = bundle.run(['create', bundle.id])
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining(`${place}: `) })
    expect(bundle.left()).toEqual([])
  })
})
