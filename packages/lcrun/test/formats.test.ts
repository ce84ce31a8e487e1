import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { CgroupStats } from '@libcontainer/cgroups'
import { columns } from '@libcontainer/cli'
import { ConfigInvalid, stringifyJson } from '@libcontainer/sys'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { parseDuration } from '../src/duration.js'
import { oomEvent, statsData, statsEvent } from '../src/event-data.js'
import { infoText, memoryBytes, operatingSystem } from '../src/info-data.js'
import { parseMemorySize } from '../src/memory-size.js'
import { filterProcesses, type ProcessRow, processTable } from '../src/process-table.js'
import { processRows, runPs } from '../src/processes.js'
import { versionText } from '../src/version-text.js'

/** What a function finds wrong. */
function problem(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigInvalid)
    return (error as ConfigInvalid).message
  }
  throw new Error('was taken')
}

describe('OL-11', () => {
  test('OL-11 columns are at least 12 wide, and 3 wider than their widest cell', () => {
    expect(columns([['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER']])).toBe(
      'ID          PID         STATUS      BUNDLE      CREATED     OWNER\n',
    )
    expect(
      columns([
        ['ID', 'BUNDLE', 'OWNER'],
        ['short', '/a/bundle/with/a/path', 'root'],
        ['an-id-of-more-than-twelve', '/b', ''],
      ]),
    ).toBe(
      'ID                          BUNDLE                  OWNER\n' +
        'short                       /a/bundle/with/a/path   root\n' +
        'an-id-of-more-than-twelve   /b                      \n',
    )
    expect(columns([])).toBe('')
  })

  test('OL-11 each cell can be found below its heading, whatever is in the table', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '/', '-', '0'), maxLength: 30 })
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 5 }), rows => {
        const lines = columns(rows).split('\n').slice(0, -1)
        const starts = [0, 1, 2].map(column =>
          rows[0]!
            .slice(0, column)
            .map((_, i) => Math.max(12, ...rows.map(row => row[i]!.length + 3)))
            .reduce((sum, width) => sum + width, 0),
        )
        lines.forEach((line, i) => {
          starts.forEach((start, column) => {
            expect(line.slice(start, start + rows[i]![column]!.length)).toBe(rows[i]![column])
          })
        })
      }),
    )
  })
})

describe('OL-12', () => {
  const ps =
    'UID        PID  PPID CMD\nroot        10     1 a 20 b\nroot        20    10 sleep 5\nroot        30     1 10\n'

  test('OL-01 the version with its commit, and without one in a working tree', () => {
    expect(versionText('0123abc')).toMatch(/^lcrun version \S+\ncommit: 0123abc\nspec: 1\./)
    expect(versionText()).toMatch(/^lcrun version \S+\nspec: 1\./)
  })

  test('OL-12 the lines whose PID is of the container, with the heading', () => {
    expect(filterProcesses(ps, [20])).toBe('UID        PID  PPID CMD\nroot        20    10 sleep 5\n')
    expect(filterProcesses(ps, [])).toBe('UID        PID  PPID CMD\n')
    expect(filterProcesses('  PID COMMAND\n    1 init\n   10 x\n', [10])).toBe('  PID COMMAND\n   10 x\n')
  })

  test('OL-12 no table has a control character but the ends of its lines', () => {
    expect(filterProcesses('PID CMD\n7 a\x1b[2J\x9b\n', [7])).toBe('PID CMD\n7 a\\x1b[2J\\x9b\n')
  })

  test('OL-12 a process names itself as it likes, and is shown', async () => {
    const child = spawn('/bin/sleep', ['100'], { argv0: 'a\x1b[2J\nb' })
    try {
      await once(child, 'spawn')
      expect((await processRows([child.pid!]))[0]!.command).toBe('a\\x1b[2J\\nb 100')
    } finally {
      child.kill('SIGKILL')
    }
  })

  test('OL-12 a table without the column PID is refused', () => {
    expect(() => filterProcesses('COMMAND\nsleep 5\n', [1])).toThrow(/no column PID/)
    expect(() => filterProcesses('', [1])).toThrow(/no column PID/)
  })

  test('OL-12 the built-in table has the columns of ps -ef', () => {
    const now = 1_800_000_000
    const row: ProcessRow = {
      user: 'root',
      pid: 4321,
      parent: 1,
      percent: 4,
      started: now - 60,
      terminal: '?',
      seconds: 3725,
      command: 'sleep 1000',
    }
    const [heading, first, second] = processTable([row, { ...row, pid: 5, started: now - 10 * 86400 }], now).split('\n')
    expect(heading).toMatch(/^UID +PID +PPID +C STIME TTY +TIME CMD$/)
    expect(first).toMatch(/^root +4321 +1 +4 \d\d:\d\d \? +01:02:05 sleep 1000$/)
    expect(second).toMatch(/^root +5 +1 +4 [A-Z][a-z]{2}\d\d \? +01:02:05 sleep 1000$/)
    expect(filterProcesses(`${heading}\n${first}\n${second}`, [5])).toContain(second)
  })
})

describe('OL-12', () => {
  test('OL-12 without ps, /proc tells of the processes that are there', async () => {
    const rows = await processRows([process.pid, 2 ** 22 + 1])
    expect(rows).toHaveLength(1)
    expect(rows[0]).toMatchObject({
      pid: process.pid,
      parent: process.ppid,
      command: expect.stringContaining('vitest'),
    })
    expect(Math.abs(rows[0]!.started - (Date.now() / 1000 - process.uptime()))).toBeLessThan(60)
    const table = processTable(rows, Date.now() / 1000)
    expect(filterProcesses(table, [process.pid])).toBe(table)
  })

  test('OL-12 the table of ps and ours tell the same of a process', requires('file:/bin/ps'), async () => {
    const theirs = await runPs(['-o', 'pid,ppid', '-p', String(process.pid)])
    expect(theirs).toMatchObject({ code: 0 })
    const [row] = await processRows([process.pid])
    expect(theirs!.text.split('\n')[1]!.trim().split(/\s+/).map(Number)).toEqual([row!.pid, row!.parent])
  })
})

describe('OL-14', () => {
  const stats: CgroupStats = {
    cpu: { usageUs: 17662.8, userUs: 0, systemUs: 10000, nrPeriods: 5, nrThrottled: 0, throttledUs: 0 },
    pids: { current: 1, max: 'max' },
    cpuset: { cpus: [], mems: [0], effectiveCpus: [0, 1], effectiveMems: [0] },
    memory: {
      current: 458752,
      peak: 2519040,
      max: 'max',
      swapCurrent: 4096,
      swapMax: 'max',
      memsw: { current: 462848, peak: 2519040, max: 'max', failCount: 0 },
      maxCount: 2,
      stat: new Map<string, number | bigint>([
        ['cache', 8192],
        ['hierarchical_memory_limit', 9223372036854771712n],
      ]),
    },
  }

  test('OL-14 statistics by the words, units and omissions that readers of events know', () => {
    expect(statsEvent('box', { cgroups: stats })).toEqual({
      type: 'stats',
      id: 'box',
      data: {
        cpu: { usage: { total: 17662800, kernel: 10000000, user: 0 }, throttling: { periods: 5 } },
        cpuset: {
          cpus: [0, 1],
          mems: [0],
          cpu_exclusive: 0,
          mem_hardwall: 0,
          mem_exclusive: 0,
          memory_migrate: 0,
          memory_spread_page: 0,
          memory_spread_slab: 0,
          memory_pressure: 0,
          sched_load_balance: 0,
          sched_relax_domain_level: 0,
        },
        memory: {
          cache: 8192,
          usage: { limit: 9223372036854771712n, usage: 458752, max: 2519040, failcnt: 2 },
          swap: { limit: 9223372036854771712n, usage: 462848, max: 2519040, failcnt: 0 },
          kernel: { limit: 0, failcnt: 0 },
          kernelTCP: { limit: 0, failcnt: 0 },
          raw: { cache: 8192, hierarchical_memory_limit: 9223372036854771712n },
        },
        pids: { current: 1 },
        blkio: {},
        hugetlb: {},
        intel_rdt: {},
        network_interfaces: null,
      },
    })
    expect(stringifyJson(statsEvent('box', { cgroups: stats }))).toContain('"limit":9223372036854771712,')
  })

  test('OL-14 cgroup v2: swap counts memory, too, and no limit is all 64 bits', () => {
    const memory = { current: 100, max: 1000, swapCurrent: 20, swapMax: 500, stat: new Map([['file', 7]]) }
    expect(statsData({ memory })).toMatchObject({
      memory: { cache: 7, usage: { limit: 1000, usage: 100, failcnt: 0 }, swap: { limit: 1500, usage: 120 } },
    })
    expect(statsData({ memory: { ...memory, swapMax: 'max' } })).toMatchObject({
      memory: { swap: { limit: 18446744073709551615n } },
    })
    expect(statsData({ pids: { current: 3, max: 50 } })).toMatchObject({ pids: { current: 3, limit: 50 } })
    expect(statsData({})).toMatchObject({
      cpu: { usage: { kernel: 0, user: 0 }, throttling: {} },
      memory: { usage: { limit: 0, failcnt: 0 } },
      pids: {},
    })
  })

  test('OL-14 disks and huge pages, with what is 0 left out', () => {
    const io = { devices: [{ major: 8, minor: 0, rbytes: 4096, wbytes: 0, rios: 1, wios: 0 }] }
    const hugetlb = new Map([
      ['2MB', { current: 2097152, max: 4194304, maxCount: 1 }],
      ['1GB', { current: 0, max: 'max' as const }],
    ])
    expect(statsData({ io, hugetlb })).toMatchObject({
      blkio: {
        ioServiceBytesRecursive: expect.arrayContaining([
          { major: 8, op: 'Read', value: 4096 },
          { major: 8, op: 'Write' },
        ]),
        ioServicedRecursive: expect.arrayContaining([{ major: 8, op: 'Read', value: 1 }]),
      },
      hugetlb: { '2MB': { usage: 2097152, failcnt: 1 }, '1GB': { failcnt: 0 } },
    })
    expect(statsData({})).toMatchObject({ blkio: {}, hugetlb: {}, intel_rdt: {}, network_interfaces: null })
  })

  test('OL-14 RD-07 the class of resctrl, where there is one', () => {
    const rdt = { info: { caches: {}, bandwidth: {}, monitoring: undefined }, rootSchemata: [], monitoring: [] }
    const schemata = [{ resource: 'L2', domains: { 0: 15 } }]
    expect(statsData({}, { ...rdt, schemata })).toMatchObject({ intel_rdt: { schemata: ['L2:0=f'] } })
    expect(statsEvent('box', { cgroups: {} })).toMatchObject({ id: 'box', data: { intel_rdt: {} } })
  })

  test('OL-14 want of memory has no data', () => {
    expect(oomEvent('box')).toEqual({ type: 'oom', id: 'box' })
  })

  test.each([
    ['5s', 5000],
    ['1m30s', 90_000],
    ['250ms', 250],
    ['1.5s', 1500],
    ['.5s', 500],
    ['1h', 3_600_000],
    ['1us', 1],
    ['100µs', 1],
    ['+2s', 2000],
  ])('OL-14 --interval %s', (text, ms) => {
    expect(parseDuration('--interval', text)).toBe(ms)
  })

  test.each(['0', '0s', '-1s', '', 's', '5', '5 s', '5sx', '1e3s', '9999h', '--5s'])(
    'EV-195 --interval %j is refused',
    text => {
      expect(problem(() => parseDuration('--interval', text))).toMatch(/^--interval: must be /)
    },
  )
})

describe('OL-15', () => {
  test.each([
    ['1048576', 1048576],
    ['100m', 104857600],
    ['100M', 104857600],
    ['100MB', 104857600],
    ['100MiB', 104857600],
    ['512 KiB', 524288],
    ['1.5g', 1610612736],
    ['2T', 2199023255552],
    ['0', 0],
    ['-1', 'max'],
    ['9007199254740993', 9007199254740993n],
    ['1b', 1],
  ])('OL-15 a size of %s', (text, bytes) => {
    expect(parseMemorySize('--memory', text)).toBe(bytes)
  })

  test.each(['', '1x', 'm', '-2', '1mm', '0x10', '1,5g', 'NaN', '1e3', ' 1', '9000000t', '-1m'])(
    'EV-162 the size %j is refused',
    text => {
      expect(problem(() => parseMemorySize('--memory', text))).toMatch(/^--memory: /)
    },
  )
})

test('XT-12 what info prints for people', () => {
  const text = infoText({
    version: '1.2.3',
    spec: '1.3.0',
    engine: 'node 20',
    kernel: { release: '6.18.0', version: '#1 SMP' },
    architecture: 'x86_64',
    operatingSystem: 'Some Linux',
    cores: 2,
    memory: 2 ** 31,
    cgroups: {
      mode: 'hybrid',
      mounts: [{ version: 2, controllers: ['hugetlb'], mountpoint: '/sys/fs/cgroup/unified' }],
      controllers: ['cpu', 'memory'],
    },
    namespaces: { user: true, time: false },
    capabilities: { CAP_CHOWN: true, CAP_BPF: false },
  })
  for (const line of [
    /^Version +1\.2\.3$/,
    /^Memory +2048 MiB$/,
    /^ {2}\/sys\/fs\/cgroup\/unified +v2 hugetlb$/,
    /^ {2}user +enabled$/,
    /^ {2}time +not available$/,
    /^ {2}CAP_CHOWN +available$/,
    /^ {2}CAP_BPF +not available$/,
  ])
    expect(text).toMatch(new RegExp(line.source, 'm'))
  expect(operatingSystem('ID=x\nPRETTY_NAME="Some Linux 12"\n')).toBe('Some Linux 12')
  expect(operatingSystem('')).toBe('Linux')
  expect(memoryBytes('MemTotal:       24684084 kB\nMemFree: 1 kB\n')).toBe(24684084 * 1024)
})
