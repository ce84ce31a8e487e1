import { describeHost, parseCgroupFile, parseSubsystems } from '@libcontainer/cgroups'
import { parseExact, parseFlat } from '../../packages/cgroups/src/read.js'
import { cpuSource } from '../../packages/cgroups/src/stats/cpu.js'
import { ioSource, parseIoStat, parseTable } from '../../packages/cgroups/src/stats/io.js'
import { memorySource, topMemory } from '../../packages/cgroups/src/stats/memory.js'
import {
  cpusetSource,
  freezerSource,
  hugetlbSource,
  miscSource,
  pidsSource,
  rdmaSource,
} from '../../packages/cgroups/src/stats/more.js'
import { parsePressure } from '../../packages/cgroups/src/stats/source.js'
import { parseNotices } from '../../packages/sys/src/files/notices.js'
import { answer, hold, same, textOf } from '../support/oracles.js'

const sources = [
  memorySource,
  cpuSource,
  pidsSource,
  cpusetSource,
  ioSource,
  hugetlbSource,
  rdmaSource,
  miscSource,
  freezerSource,
] as const

/** Keyed files: the plainest reading of `key number`, line by line. */
function checkFlat(text: string): void {
  const values = parseFlat(text)
  const plain = new Map<string, number>()
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ')
    if (space > 0) plain.set(line.slice(0, space), Number(line.slice(space + 1)))
  }
  same([...values], [...plain], 'a flat file')
  const exact = parseExact(text)
  same([...exact.keys()], [...values.keys()], 'the keys of a flat file')
  for (const [key, value] of exact) {
    if (typeof value === 'number') same(value, values.get(key), `the number of ${key}`)
    else hold(Number(value) === values.get(key) && !Number.isSafeInteger(Number(value)), `the large number of ${key}`)
  }
}

/** Files of a cgroup: text of a kernel that is newer than this, or of whoever lays a file system over ours. Nothing of it is refused, or takes long. */
export function fuzz(data: Uint8Array): void {
  const [kind = 0] = data
  const text = textOf(data.subarray(1))
  checkFlat(text)
  for (const { number, name } of parseNotices(data.subarray(1)))
    hold(Number.isInteger(number) && !name.includes('\0'), 'a notice')
  parsePressure(text)
  topMemory(text, text)
  hold(parseTable(text).length <= text.length && parseIoStat(text).length <= text.length, 'more rows than the text has')
  hold(
    parseSubsystems(text).every(name => name !== ''),
    'a controller without a name',
  )

  const paths = parseCgroupFile(text)
  for (const [key, path] of paths) hold(!key.includes(',') && !path.includes('\n'), 'a controller of two names')
  const [cgroup = '', mountinfo = ''] = text.split('\n\n', 2)
  const host = describeHost({ cgroup, mountinfo, controllers: () => cgroup })
  for (const { own } of host.hierarchies)
    hold(
      !own.startsWith('/') && !own.endsWith('/') && !own.startsWith('..'),
      `a cgroup outside of its hierarchy: ${own}`,
    )

  // Each file is a part of the text, so that they differ.
  const parts = text.split('\n\n')
  let i = 0
  const read = (): string | undefined => parts[i++ % (parts.length + 1)]
  for (const version of [1, 2] as const) {
    const layout = { version, noPrefix: (kind & 1) === 1, hugePageSizes: ['2MB'] }
    for (const source of sources) answer(() => source.parse(read, layout))
  }
}

export function seeds(): string[] {
  return [
    '\0anon 4096\nfile 18446744073709551615\nworkingset_refault_anon 0\n',
    '\x018:0 rbytes=90430464 wbytes=299008000 rios=8950 wios=1252 dbytes=0 dios=0 cost.usage=12\n8:16 8:32 rbytes=1\n',
    '\x008:0 Read 4096\n8:0 Write 1\n8:0 Total 4097\nTotal 4097\n',
    '\0some avg10=0.00 avg60=1.50 avg300=0.00 total=12\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n',
    '\x0112:cpu,cpuacct:/a/b:c\n1:name=systemd:/init.scope\n0::/user.slice/../x\n\n36 25 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n37 25 0:31 /a /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n',
    '\0#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t2\t5\t1\nrdma\t0\t1\t0\n',
    '\x01total=5 N0=5 N1=0\nfile=3 N0=3\nhierarchical_total=5 N0=5\n\n0-3,7\n\n1\n\nmax\n\nmlx4_0 hca_handle=2 hca_object=max\n\nFROZEN\n\nmax 5\noom_kill 2\n',
    '\0MemTotal:       16000 kB\nMemFree:        100 kB\nSwapTotal:      10 kB\nSwapFree:        5 kB\n',
  ]
}
