import {
  checkIdMap,
  containerId,
  hostId,
  type IdMap,
  identityMap,
  idMapSteps,
  idMapText,
  mapMode,
  mergeIdMap,
  parseIdMap,
  sameIdMap,
} from '@libcontainer/namespaces'
import { ConfigInvalid, encodeUtf8 } from '@libcontainer/sys'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fittingIdMap } from '../src/id-map.js'
import { mapArguments } from '../src/map-helpers.js'
import { isMapped } from '../src/user-namespace.js'
import { parseWriter } from '../src/write-maps.js'

const MAX = 4294967295

function refusal(map: unknown): ConfigInvalid {
  try {
    checkIdMap(map as IdMap[], 'uidMappings')
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigInvalid)
    return error as ConfigInvalid
  }
  throw new Error(`not refused: ${JSON.stringify(map)}`)
}

const line = (containerId: number, hostId: number, size: number): IdMap => ({ containerId, hostId, size })

/** Maps that the kernel would take: runs of ids, apart on both sides, in any order. */
const maps = fc
  .array(fc.record({ gap: fc.nat(1000), hostGap: fc.nat(1000), size: fc.integer({ min: 1, max: 5000 }) }), {
    minLength: 1,
    maxLength: 60,
  })
  .chain(runs => {
    let inside = 0
    let outside = 0
    const map = runs.map(({ gap, hostGap, size }) => {
      const entry = line(inside + gap, outside + hostGap, size)
      inside += gap + size
      outside += hostGap + size
      return entry
    })
    return fc.shuffledSubarray(map, { minLength: map.length })
  })

test('EV-040 a size of nothing, ids beyond the last, overflow, overlap and too many lines are refused by field', () => {
  expect(refusal([line(0, 0, 0)]).field).toBe('uidMappings[0].size')
  expect(refusal([line(0, 0, 1), line(5, 5, -1)]).field).toBe('uidMappings[1].size')
  expect(refusal([line(MAX, 0, 1)]).field).toBe('uidMappings[0].containerId')
  expect(refusal([line(0, MAX, 1)]).field).toBe('uidMappings[0].hostId')
  expect(refusal([line(0, -1, 1)]).field).toBe('uidMappings[0].hostId')
  expect(refusal([line(0, 1.5, 1)]).field).toBe('uidMappings[0].hostId')
  expect(refusal([line(1, 0, MAX)]).message).toMatch(/beyond the last id.*containerId 1/)
  expect(refusal([line(0, 100, MAX - 99)]).message).toMatch(/beyond the last id.*hostId 100/)
  expect(refusal([line(0, 1000, 10), line(9, 5000, 1)]).message).toMatch(
    /uidMappings\[1\]\.containerId: overlaps uidMappings\[0\]/,
  )
  expect(refusal([line(0, 1000, 10), line(50, 1009, 1)]).field).toBe('uidMappings[1].hostId')
  expect(refusal(Array.from({ length: 341 }, (_, i) => line(2 * i, 2 * i, 1))).message).toMatch(/more than the 340/)
  expect(
    refusal(Array.from({ length: 300 }, (_, i) => line(4000000000 + 2 * i, 3000000000 + 2 * i, 1))).message,
  ).toMatch(/4095/)
  expect(refusal([null]).field).toBe('uidMappings[0]')
  expect(refusal('0 0 1').field).toBe('uidMappings')
  expect(() => checkIdMap(identityMap, 'x')).not.toThrow()
  expect(() => checkIdMap([line(0, 1, MAX - 1)], 'x')).not.toThrow()
  expect(() =>
    checkIdMap(
      Array.from({ length: 340 }, (_, i) => line(2 * i, 2 * i, 1)),
      'x',
    ),
  ).not.toThrow()
})

test('NS-10 more than 340 lines, or a text beyond a page, are written in the fewest lines that say the same', () => {
  const long = Array.from({ length: 500 }, (_, i) => line(i, 100000 + i, 1))
  expect(() => checkIdMap(long, 'm')).not.toThrow()
  const deny = idMapSteps(7, { uid: long, gid: long }, 'direct').map(({ args }) => args[2])
  expect(deny.slice(1)).toEqual([encodeUtf8('0 100000 500\n'), encodeUtf8('0 100000 500\n')])
  expect(mapArguments(7, long)).toEqual(['7', '0', '100000', '500'])
  const wide = Array.from({ length: 300 }, (_, i) => line(4000000000 + i, 3000000000 + i, 1))
  expect(fittingIdMap(wide)).toEqual([line(4000000000, 3000000000, 300)])
  const short = [line(0, 5, 1), line(1, 6, 1)]
  expect(fittingIdMap(short)).toBe(short)
})

test('NS-10 the text is "inside outside size", and reads back', () => {
  expect(idMapText([line(0, 100000, 65536), line(65536, 7, 1)])).toBe('0 100000 65536\n65536 7 1\n')
  expect(parseIdMap('         0     100000      65536\n')).toEqual([line(0, 100000, 65536)])
  fc.assert(
    fc.property(maps, map => {
      expect(parseIdMap(idMapText(map))).toEqual(map)
    }),
  )
})

test('EV-040 every map of disjoint runs is taken, and none with two runs that touch the same id', () => {
  fc.assert(
    fc.property(maps, fc.nat(), (map, pick) => {
      checkIdMap(map, 'm')
      const entry = map[pick % map.length]!
      const twin = line(entry.containerId + entry.size - 1, 2_000_000_000, 1)
      expect(() => checkIdMap([...map, twin], 'm')).toThrow(ConfigInvalid)
    }),
  )
})

test('NS-11 ids translate out and back, and an id that is not covered is an error that names it', () => {
  const map = [line(0, 100000, 1000), line(1000, 5, 1)]
  expect(hostId(map)).toBe(100000)
  expect(hostId(map, 999)).toBe(100999)
  expect(hostId(map, 1000)).toBe(5)
  expect(containerId(map, 5)).toBe(1000)
  expect(() => hostId(map, 1001, 'process.uid')).toThrow('process.uid: is not mapped in the user namespace (got 1001)')
  expect(() => containerId(map, 0)).toThrow(ConfigInvalid)
  expect(() => hostId([])).toThrow(ConfigInvalid)
  expect(hostId(undefined, 33)).toBe(33)
  expect(containerId(undefined, 33)).toBe(33)
  fc.assert(
    fc.property(maps, fc.nat(), fc.nat(), (map, pick, at) => {
      const entry = map[pick % map.length]!
      const id = entry.containerId + (at % entry.size)
      expect(hostId(map, id)).toBe(entry.hostId + (at % entry.size))
      expect(containerId(map, hostId(map, id))).toBe(id)
    }),
  )
})

test('NS-12 two maps compare by what they translate, not by how they are split', () => {
  expect(mergeIdMap([line(10, 110, 5), line(0, 100, 10), line(20, 120, 1)])).toEqual([
    line(0, 100, 15),
    line(20, 120, 1),
  ])
  expect(sameIdMap([line(0, 100, 10), line(10, 110, 5)], [line(0, 100, 15)])).toBe(true)
  expect(sameIdMap([line(0, 100, 10), line(10, 111, 5)], [line(0, 100, 15)])).toBe(false)
  fc.assert(
    fc.property(maps, fc.nat(), (map, cut) => {
      const split = map.flatMap(({ containerId, hostId, size }) => {
        const first = cut % size
        const rest = line(containerId + first, hostId + first, size - first)
        return first === 0 ? [rest] : [line(containerId, hostId, first), rest]
      })
      expect(sameIdMap(split, map)).toBe(true)
      const moved = map.map((entry, i) => (i === 0 ? { ...entry, hostId: entry.hostId + 1 } : entry))
      expect(sameIdMap(moved, map)).toBe(false)
    }),
  )
})

test('NS-13 only a map other than the full identity means a user namespace', () => {
  expect(isMapped('         0          0 4294967295\n')).toBe(false)
  expect(isMapped('0 0 1000\n1000 1000 4294966295\n')).toBe(false)
  expect(isMapped('0 1000 1\n')).toBe(true)
  expect(isMapped('0 0 65536\n')).toBe(true)
  expect(isMapped('')).toBe(true)
  expect(isMapped(undefined)).toBe(false)
})

const status = 'Name:\tnode\nUid:\t1000\t1001\t1002\t1003\nGid:\t2000\t2001\t2002\t2003\nCapEff:\t00000000000000c0\n'

test('NS-10 who writes the maps is read from its status', () => {
  expect(parseWriter(status)).toEqual({ euid: 1001, egid: 2001, setuid: true, setgid: true, effective: 0xc0n })
  expect(parseWriter(status.replace('c0', '40'))).toMatchObject({ setuid: false, setgid: true })
})

test('NS-10 setgroups is denied before the gid map in the unprivileged mode, and only there', () => {
  const own = { uid: [line(0, 1000, 1)], gid: [line(0, 1000, 1)] }
  const user = { euid: 1000, egid: 1000, setuid: false, setgid: false }
  expect(mapMode(own, user)).toBe('single')
  expect(mapMode(own, { ...user, setuid: true, setgid: true })).toBe('direct')
  const files = (mode: 'single' | 'direct'): unknown[] =>
    idMapSteps(7, own, mode).map(step => step.args[1] ?? step.path)
  expect(files('single')).toEqual(['/proc/7', 'setgroups', 'gid_map', 'uid_map'])
  expect(files('direct')).toEqual(['/proc/7', 'gid_map', 'uid_map'])
})

test('NS-10 other ids than an ordinary user’s own are left to newuidmap and newgidmap, which take numbers alone', () => {
  const user = { euid: 1000, egid: 1000, setuid: false, setgid: false }
  const own = [line(0, 1000, 1)]
  for (const uid of [[line(0, 1001, 1)], [line(0, 1000, 2)], [line(0, 1000, 1), line(1, 100000, 65536)]]) {
    expect(mapMode({ uid, gid: own }, user)).toBe('helpers')
    expect(mapMode({ uid: own, gid: uid }, user)).toBe('helpers')
  }
  expect(mapArguments(7, [line(0, 1000, 1), line(1, 100000, 65536)])).toEqual('7 0 1000 1 1 100000 65536'.split(' '))
})
