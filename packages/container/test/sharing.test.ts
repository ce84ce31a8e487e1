import { validateShape } from '@libcontainer/container'
import { setScheduler } from '@libcontainer/init'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { processors } from '../src/config/sharing.js'
import { checkProcess } from '../src/validate/process.js'

/** What is wrong, as told for a container; a process is told the same, below `process`. */
function refused(request: object): string | undefined {
  const [problem] = validateShape({ rootfs: '/r', ...request } as never)
  let told: string | undefined
  try {
    checkProcess({ args: ['a'], ...request } as never)
  } catch (error) {
    told = (error as { field: string }).field
  }
  expect(told).toBe(problem && `process.${problem.field}`)
  return problem?.field
}

test('EV-107 a scheduler: policy, flags, and what each policy takes', () => {
  for (const scheduler of [
    { policy: 'SCHED_OTHER', nice: -20 },
    { policy: 'SCHED_BATCH', nice: 19, flags: [] },
    { policy: 'SCHED_FIFO', priority: 99, flags: ['SCHED_FLAG_RESET_ON_FORK'] },
    { policy: 'SCHED_DEADLINE', runtimeNs: 1e6, deadlineNs: 2n ** 40n, periodNs: 2e6 },
    { policy: 'SCHED_IDLE', nice: 0, priority: 0 },
    {
      policy: 'SCHED_OTHER',
      flags: ['SCHED_FLAG_UTIL_CLAMP_MIN', 'SCHED_FLAG_UTIL_CLAMP_MAX'],
      utilMin: 0,
      utilMax: 1024,
    },
    { policy: 'SCHED_OTHER', flags: ['SCHED_FLAG_UTIL_CLAMP_MIN'] },
  ]) {
    expect(refused({ scheduler })).toBeUndefined()
  }
  for (const [scheduler, field] of [
    [{}, '.policy'],
    [null, ''],
    [{ policy: 'SCHED_NONE' }, '.policy'],
    [{ policy: 'toString' }, '.policy'],
    [{ policy: 0 }, '.policy'],
    [{ policy: 'SCHED_OTHER', flags: ['SCHED_FLAG_ALL'] }, '.flags[0]'],
    [{ policy: 'SCHED_OTHER', flags: 1 }, '.flags'],
    [{ policy: 'SCHED_OTHER', nice: 20 }, '.nice'],
    [{ policy: 'SCHED_OTHER', nice: -21 }, '.nice'],
    [{ policy: 'SCHED_FIFO', nice: 1 }, '.nice'],
    [{ policy: 'SCHED_OTHER', priority: 1 }, '.priority'],
    [{ policy: 'SCHED_RR', priority: 100 }, '.priority'],
    [{ policy: 'SCHED_FIFO', runtimeNs: 5 }, '.runtimeNs'],
    [{ policy: 'SCHED_DEADLINE', periodNs: -1 }, '.periodNs'],
    [{ policy: 'SCHED_DEADLINE', deadlineNs: 1.5 }, '.deadlineNs'],
    [{ policy: 'SCHED_OTHER', runtime: 5 }, '.runtime'],
    [{ policy: 'SCHED_OTHER', utilMin: 5 }, '.utilMin'],
    [{ policy: 'SCHED_OTHER', flags: ['SCHED_FLAG_UTIL_CLAMP_MIN'], utilMax: 5 }, '.utilMax'],
    [{ policy: 'SCHED_OTHER', flags: ['SCHED_FLAG_UTIL_CLAMP_MAX'], utilMax: 1025 }, '.utilMax'],
    [
      {
        policy: 'SCHED_OTHER',
        flags: ['SCHED_FLAG_UTIL_CLAMP_MIN', 'SCHED_FLAG_UTIL_CLAMP_MAX'],
        utilMin: 9,
        utilMax: 8,
      },
      '.utilMin',
    ],
  ] as const) {
    expect(refused({ scheduler }), JSON.stringify(scheduler)).toBe(`scheduler${field}`)
  }
})

test('PP-09 the step has numbers alone: clamps are those that were asked for, the widest, or none', () => {
  const flags = ['SCHED_FLAG_UTIL_CLAMP_MIN', 'SCHED_FLAG_UTIL_CLAMP_MAX'] as const
  const clamps = (scheduler: object): unknown => setScheduler({ policy: 'SCHED_OTHER', ...scheduler }).args.at(-1)
  expect(clamps({ flags, utilMin: 100, utilMax: 900 })).toBe((900 << 16) | 100)
  expect(clamps({ flags })).toBe(1024 << 16)
  expect(clamps({ flags: [flags[0]], utilMin: 7 })).toBe(7)
  // A kernel that knows no clamps takes nothing else.
  expect(clamps({})).toBe(0)
  expect(
    setScheduler({ policy: 'SCHED_DEADLINE', runtimeNs: 1n, deadlineNs: 2, flags: ['SCHED_FLAG_RECLAIM'] }).args,
  ).toEqual([6, 2, 0, 0, 1n, 2n, 0n, 0])
})

test('EV-109 an io priority: class and level', () => {
  for (const level of [undefined, 0, 7])
    expect(refused({ ioPriority: { class: 'IOPRIO_CLASS_RT', level } })).toBeUndefined()
  for (const [ioPriority, field] of [
    [{}, '.class'],
    [{ class: 'IOPRIO_CLASS_NONE' }, '.class'],
    [{ class: 'IOPRIO_CLASS_BE', level: 8 }, '.level'],
    [{ class: 'IOPRIO_CLASS_BE', level: -1 }, '.level'],
    [{ class: 'IOPRIO_CLASS_BE', priority: 1 }, '.priority'],
    [7, ''],
  ] as const) {
    expect(refused({ ioPriority }), JSON.stringify(ioPriority)).toBe(`ioPriority${field}`)
  }
})

test('EV-111 lists of processors: reversed, letters, negative, too high, nothing but commas', () => {
  for (const list of ['0', '0-3,7', ' 1 , 2 ,', '65536'])
    expect(refused({ cpuAffinity: { initial: list, final: list } })).toBeUndefined()
  for (const list of ['', ',', ' , ,', '3-1', 'a', '-1', '1-', '0x1', '65537', '0-70000', '1;2', 3, null]) {
    expect(refused({ cpuAffinity: { final: list } }), String(list)).toBe('cpuAffinity.final')
  }
  expect(refused({ cpuAffinity: { last: '1' } })).toBe('cpuAffinity.last')
  expect(refused({ cpuAffinity: '1' })).toBe('cpuAffinity')
})

test('EV-112 a personality: LINUX or LINUX32', () => {
  expect(refused({ personality: 'LINUX' })).toBeUndefined()
  for (const personality of ['linux', 'LINUX64', 8, null]) expect(refused({ personality })).toBe('personality')
})

test('EV-110 VAL-27 PP-20 a memory policy: mode, flags, and the nodes that each mode takes', () => {
  for (const memoryPolicy of [
    { mode: 'MPOL_DEFAULT' },
    { mode: 'MPOL_LOCAL', nodes: '' },
    { mode: 'MPOL_PREFERRED' },
    { mode: 'MPOL_PREFERRED', nodes: '1' },
    { mode: 'MPOL_BIND', nodes: '0-3, 7,' },
    { mode: 'MPOL_INTERLEAVE', nodes: '1023', flags: ['MPOL_F_STATIC_NODES'] },
    { mode: 'MPOL_PREFERRED_MANY', nodes: '0', flags: ['MPOL_F_RELATIVE_NODES', 'MPOL_F_NUMA_BALANCING'] },
    { mode: 'MPOL_WEIGHTED_INTERLEAVE', nodes: '0,0' },
  ]) {
    expect(refused({ memoryPolicy }), JSON.stringify(memoryPolicy)).toBeUndefined()
  }
  for (const [memoryPolicy, field] of [
    [null, ''],
    ['MPOL_BIND', ''],
    [[], ''],
    [{}, '.mode'],
    [{ mode: 'bind', nodes: '0' }, '.mode'],
    [{ mode: 'toString' }, '.mode'],
    [{ mode: 2, nodes: '0' }, '.mode'],
    [{ mode: 'MPOL_DEFAULT', nodes: '0' }, '.nodes'],
    [{ mode: 'MPOL_LOCAL', nodes: '0' }, '.nodes'],
    [{ mode: 'MPOL_BIND' }, '.nodes'],
    [{ mode: 'MPOL_INTERLEAVE', nodes: '' }, '.nodes'],
    [{ mode: 'MPOL_PREFERRED_MANY' }, '.nodes'],
    [{ mode: 'MPOL_WEIGHTED_INTERLEAVE' }, '.nodes'],
    [{ mode: 'MPOL_BIND', nodes: 0 }, '.nodes'],
    [{ mode: 'MPOL_BIND', nodes: ',' }, '.nodes'],
    [{ mode: 'MPOL_BIND', nodes: '3-1' }, '.nodes'],
    [{ mode: 'MPOL_BIND', nodes: '1024' }, '.nodes'],
    [{ mode: 'MPOL_BIND', nodes: '0-4294967295' }, '.nodes'],
    [{ mode: 'MPOL_BIND', nodes: '0', flags: 'MPOL_F_STATIC_NODES' }, '.flags'],
    [{ mode: 'MPOL_BIND', nodes: '0', flags: ['STATIC'] }, '.flags[0]'],
    [{ mode: 'MPOL_BIND', nodes: '0', flags: ['MPOL_F_STATIC_NODES', 'MPOL_F_RELATIVE_NODES'] }, '.flags'],
    [{ mode: 'MPOL_BIND', nodes: '0', policy: 1 }, '.policy'],
  ] as const) {
    expect(refused({ memoryPolicy }), JSON.stringify(memoryPolicy)).toBe(`memoryPolicy${field}`)
  }
})

test('EV-111 PP-12 any text is a sorted list of processors without doubles, or ConfigInvalid by its field', () => {
  const part = fc.oneof(
    fc.nat(70000).map(String),
    fc.tuple(fc.nat(300), fc.nat(300)).map(([a, b]) => `${a}-${b}`),
    fc.constantFrom('', ' ', ' 1 ', '-', '1-', 'x'),
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(part, { maxLength: 6 }).map(parts => parts.join(',')),
      ),
      text => {
        try {
          const numbers = processors(text, 'cpuAffinity.final')
          expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
          expect(numbers.length).toBeGreaterThan(0)
          expect(numbers.every(number => Number.isInteger(number) && number >= 0 && number <= 65536)).toBe(true)
          // What it says is what was written, whatever stands around it.
          expect(processors(numbers.join(' , ,'), 'x')).toEqual(numbers)
        } catch (error) {
          expect(error).toMatchObject({ code: 'ConfigInvalid', field: 'cpuAffinity.final' })
        }
      },
    ),
  )
})
