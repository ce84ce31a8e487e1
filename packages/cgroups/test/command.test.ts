import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { searchPaths } from '@libcontainer/sys'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { exitCodeOf, notesOf } from '../src/node/run.js'
import { parseRun } from '../src/node/run-options.js'
import type { SpawnResult } from '../src/node/spawn.js'
import { parseTop } from '../src/node/top.js'
import { type Row, rowsOf, type Sample, sortRows } from '../src/node/top-rows.js'
import { bar, renderTable } from '../src/node/top-table.js'
import { formatSize, parseDuration, parseSize } from '../src/node/words.js'

const MiB = 1024 * 1024

describe('words', () => {
  test.each([
    ['65536', 65536],
    ['64M', 64 * MiB],
    ['64m', 64 * MiB],
    ['64MiB', 64 * MiB],
    ['1.5G', 1536 * MiB],
    ['0', 0],
    ['max', 'max'],
  ])('the size %s', (text, bytes) => {
    expect(parseSize('--memory', text)).toBe(bytes)
  })

  test.each(['', '-1', '1e3', '64X', 'M', '1.5.5', '99999E', 'Max'])('no size: %j', text => {
    expect(() => parseSize('--memory', text)).toThrow(/--memory.*must be a size/)
  })

  test('a size that is told takes five letters at most, and is near', () => {
    fc.assert(
      fc.property(
        fc.maxSafeNat().map(bytes => bytes / 4),
        bytes => {
          const text = formatSize(bytes)
          expect(text.length).toBeLessThanOrEqual(5)
          const again = parseSize('size', text) as number
          expect(Math.abs(again - bytes)).toBeLessThanOrEqual(Math.max(bytes * 0.06, 0.5))
        },
      ),
    )
  })

  test.each([
    ['2', 2000],
    ['500ms', 500],
    ['2s', 2000],
    ['1.5m', 90_000],
    ['1h', 3_600_000],
  ])('the time %s', (text, ms) => {
    expect(parseDuration('--timeout', text)).toBe(ms)
  })

  test.each(['', '0', '-1', '2d', '1000h', 'ms'])('no time: %j', text => {
    expect(() => parseDuration('--timeout', text)).toThrow(/must be a time/)
  })
})

describe('cgroups run', () => {
  test('all its limits', () => {
    const words =
      '--memory 64M --memory-high=32M --swap 0 --pids 20 --cpus 1.5 --cpu-weight 50 --cpuset 0-3,7 --io-weight 10 ' +
      '--set memory.oom.group=1 --set a.b=c=d --timeout 2s --kill-signal INT --path /x --leaf --optional --json -q'
    const request = parseRun([...words.split(' '), '--', 'cmd', '--memory', '1'])
    expect(request).toEqual({
      limits: {
        memory: { max: 64 * MiB, high: 32 * MiB, swapMax: 0 },
        pids: { max: 20 },
        cpu: { quotaUs: 150_000, periodUs: 100_000, weight: 50 },
        cpuset: { cpus: '0-3,7' },
        io: { weight: 10 },
        unified: { 'memory.oom.group': '1', 'a.b': 'c=d' },
      },
      command: ['cmd', '--memory', '1'],
      timeout: 2000,
      killSignal: 'INT',
      path: '/x',
      leaf: true,
      optional: true,
      json: true,
      quiet: true,
      help: false,
    })
  })

  test.each([
    [['--pids', '1', 'sh', '-c', 'x'], ['sh', '-c', 'x'], { pids: { max: 1 } }],
    [['sh', '--pids', '1'], ['sh', '--pids', '1'], {}],
    [['--', '--pids'], ['--pids'], {}],
    [['--cpus=max', 'a', '--', 'b'], ['a', '--', 'b'], { cpu: { quotaUs: 'max', periodUs: 100_000 } }],
    [['--memory', 'max', '--', '--', 'b'], ['--', 'b'], { memory: { max: 'max' } }],
  ])('%j: where the command begins', (words, command, limits) => {
    expect(parseRun(words)).toMatchObject({ command })
    expect(JSON.parse(JSON.stringify(parseRun(words).limits))).toEqual(limits)
  })

  test.each([
    [['--nothing', 'x'], /--nothing/],
    [['--memory'], /--memory/],
    [[], /no command/],
    [['--pids', '3'], /no command/],
    [['--pids', 'x', 'sh'], /--pids/],
    [['--cpus', '0', 'sh'], /--cpus/],
    [['--set', 'x', 'sh'], /--set/],
    [['--cpu-weight', 'max', 'sh'], /--cpu-weight/],
    [['--optional=1', 'sh'], /--optional/],
  ])('%j is refused', (words, problem) => {
    expect(() => parseRun(words)).toThrow(problem)
  })

  const ended: SpawnResult = { code: 0, signal: null, timedOut: false, wallMs: 1, oom: false, oomKills: 0 }

  test('17 exit codes: its own, 128 and a signal, 124 for the time', () => {
    expect(exitCodeOf({ ...ended, code: 7 })).toBe(7)
    expect(exitCodeOf({ ...ended, code: null, signal: 'SIGKILL' })).toBe(137)
    expect(exitCodeOf({ ...ended, code: null, signal: 'SIGTERM', timedOut: true })).toBe(124)
  })

  test('want 10: that it was OOM is told plainly, with the limit and what was used', () => {
    expect(notesOf(ended, 64 * MiB, undefined)).toEqual([])
    const oom = { ...ended, code: null, signal: 'SIGKILL' as const, oom: true, oomKills: 1, peakMemory: 64 * MiB }
    expect(notesOf(oom, 64 * MiB, undefined)).toEqual([
      'out of memory: the kernel has killed a process at the limit of 64M, at most 64M was used',
    ])
    expect(notesOf({ ...oom, oomKills: 3, peakMemory: undefined }, 'max', undefined)).toEqual([
      'out of memory: the kernel has killed 3 processes at the limit',
    ])
    expect(notesOf({ ...ended, refusedForks: 4, timedOut: true }, undefined, 500)).toEqual([
      'too many processes: 4 times one could not be made',
      'it was ended after 500 ms',
    ])
  })
})

test('a terminal that takes nothing holds up no picture, and is left all the same as soon as it does', async () => {
  const program = `
    import { writeSync } from 'node:fs'
    import { Screen } from ${JSON.stringify(new URL('../dist/node/screen.js', import.meta.url).href)}
    const screen = new Screen(() => undefined)
    for (let i = 0; i < 3; i++) screen.draw(Array(1000).fill('x'.repeat(200)))
    writeSync(2, 'drawn')
    screen[Symbol.dispose]()
    process.exit()`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  child.stdout.pause()
  expect(String((await once(child.stderr, 'data', { signal: AbortSignal.timeout(20_000) }))[0])).toBe('drawn')
  expect((await text(child.stdout)).endsWith('\x1b[?25h\x1b[?1049l')).toBe(true)
})

test('a program is looked for as execvp(3) does', () => {
  expect(searchPaths('a/b', ['PATH=/x'])).toEqual(['a/b'])
  expect(searchPaths('sh', ['A=b', 'PATH=/x:/y/:', 'PATH=/z'])).toEqual(['/x/sh', '/y//sh', 'sh'])
  expect(searchPaths('sh', [])).toEqual(['/bin/sh', '/usr/bin/sh'])
})

describe('cgroups top', () => {
  test('what it is asked', () => {
    expect(parseTop([])).toEqual({
      where: '/',
      interval: 2000,
      sort: 'cpu',
      depth: Number.POSITIVE_INFINITY,
      all: false,
      json: false,
      once: false,
      help: false,
    })
    expect(parseTop(['--once', '-s', 'oom', '-d', '2', '/x'])).toMatchObject({
      interval: 500,
      sort: 'oom',
      depth: 2,
      once: true,
      where: '/x',
    })
    for (const words of [['--sort', 'size'], ['/a', '/b'], ['--interval', '0'], ['--depth', '-1'], ['--what']]) {
      expect(() => parseTop(words), words.join(' ')).toThrow()
    }
  })

  const stats = (usageUs: number, rbytes: number, current: number, pids: number) => ({
    cpu: { usageUs, pressure: { some: { avg10: 12, avg60: 0, avg300: 0, totalUs: 0 } } },
    io: { devices: [{ major: 8, minor: 0, rbytes, wbytes: 0, rios: 0, wios: 0 }] },
    memory: { current, max: 100 * MiB, oomKillCount: 2 },
    pids: { current: pids, max: 'max' as const },
  })
  const sample = (at: number, groups: Record<string, ReturnType<typeof stats>>) =>
    ({ at, groups: new Map(Object.entries(groups)) }) as unknown as Sample

  test('rates are of the time between two looks; of a new cgroup there are none, nor below nothing', () => {
    const before = sample(1000, { '/': stats(0, 0, MiB, 3), '/a': stats(1_000_000, 4096, MiB, 1) })
    const after = sample(3000, {
      '/': stats(1_000_000, 8192, MiB, 3),
      '/a': stats(0, 0, MiB, 1),
      '/b': stats(5, 5, 50 * MiB, 1),
      '/idle': stats(5, 5, 0, 0),
    })
    const rows = rowsOf(before, after)
    expect(rows.map(({ path, cpu, readRate }) => ({ path, cpu, readRate }))).toEqual([
      { path: '/', cpu: 50, readRate: 4096 },
      { path: '/a', cpu: 0, readRate: 0 },
      { path: '/b', cpu: undefined, readRate: undefined },
    ])
    expect(rowsOf(before, after, { all: true }).map(({ path }) => path)).toContain('/idle')
    expect(rows[0]).toMatchObject({ memory: MiB, memoryMax: 100 * MiB, pids: 3, cpuPressure: 12, oomKills: 2 })
  })

  const row = (path: string, more: Partial<Row> = {}): Row => ({ path, ...more })

  test('the most comes first', () => {
    const rows = [
      row('/b', { memory: 1, cpu: 2 }),
      row('/a', { memory: 1, cpu: 9 }),
      row('/c', { memory: 5, oomKills: 1 }),
    ]
    const order = (key: Parameters<typeof sortRows>[1]) =>
      sortRows(rows, key)
        .map(({ path }) => path)
        .join()
    expect(order('cpu')).toBe('/a,/b,/c')
    expect(order('memory')).toBe('/c,/a,/b')
    expect(order('oom')).toBe('/c,/a,/b')
    expect(order('path')).toBe('/a,/b,/c')
  })

  test('memory against its limit is a bar', () => {
    expect(bar(0, 4)).toBe('····')
    expect(bar(0.5, 4)).toBe('██··')
    expect(bar(1 / 32, 4)).toBe('▏···')
    expect(bar(1, 4)).toBe('████')
    expect(bar(undefined, 4)).toBe('    ')
  })

  const full: Row = {
    path: '/job',
    cpu: 123.4,
    memory: 95 * MiB,
    memoryMax: 100 * MiB,
    pids: 19,
    pidsMax: 20,
    readRate: 2048,
    writeRate: 0,
    cpuPressure: 1,
    memoryPressure: 50,
    ioPressure: 0,
    oomKills: 3,
  }

  test('the table, without colours', () => {
    expect(renderTable([full, row('/none')], { width: 120, color: false, sort: 'cpu' })).toEqual([
      'CGROUP             CPU% MEMORY                        PIDS READ/s WRITE/s   PSI c/m/i   OOM',
      '/job                123 █████████▌   95M/100M        19/20   2.0K       0      1/50/0     3',
      '/none                 -                -                 -      -       -           -     -',
    ])
  })

  test('no line is wider than the terminal, nor are there more than fit; colours come and go together', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 50, max: 200 }),
        fc.integer({ min: 2, max: 20 }),
        fc.array(fc.string({ minLength: 1, maxLength: 60 }), { maxLength: 30 }),
        (width, height, names) => {
          const rows = names.map(name => ({ ...full, path: `/${name}` }))
          const plain = renderTable(rows, { width, height, color: false, sort: 'io' })
          expect(plain.length).toBeLessThanOrEqual(height)
          for (const line of plain) expect(line.length).toBeLessThanOrEqual(width)
          const painted = renderTable(rows, { width, height, color: true, sort: 'io' })
          // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
          expect(painted.map(line => line.replace(/\x1b\[\d+m/g, '').trimEnd())).toEqual(plain)
        },
      ),
    )
  })

  test('a name of a cgroup commands no terminal', () => {
    const [, line] = renderTable([row('/\x1b]0;owned\x07\x9b2J')], { width: 120, color: false, sort: 'cpu' })
    expect(line).toContain('/\\x1b]0;owned\\x07\\x9b2J')
  })
})
