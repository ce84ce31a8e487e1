import { closeSync, openSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Bench, either } from './hosts.js'

describe.each(either)('BY-06 $name', host => {
  test(
    'BY-06 exec tells the pid and the end, of a first program and of one that it refuses to start',
    host.needs,
    () => {
      using bench = new Bench(host)
      const path = `${bench.outside}/status`
      const file = openSync(path, 'w')
      try {
        const given = { stdio: ['ignore', 'pipe', 'pipe', file] as const }
        expect(
          bench.run(['exec', '--json-status-fd', '3', 'sh', '-c', 'exit 4'], { ...given, stdio: [...given.stdio] })
            .status,
        ).toBe(4)
        const lines = readFileSync(path, 'utf8').trim().split('\n')
        expect(lines.map(line => JSON.parse(line))).toEqual([
          expect.objectContaining({ 'child-pid': expect.any(Number), 'pid-namespace': expect.any(Number) }),
          { 'exit-code': 4 },
        ])
        expect(
          bench.run(['exec', '--json-status-fd', '3', 'no-such-program'], { stdio: [...given.stdio] }).status,
        ).not.toBe(0)
        expect(readFileSync(path, 'utf8').trim().split('\n')).toHaveLength(2)
      } finally {
        closeSync(file)
      }
      expect(bench.run(['exec', '--json-status-fd', '99', 'true']).stderr).toContain('--json-status-fd')
      expect(bench.left()).toEqual([])
    },
  )
})
