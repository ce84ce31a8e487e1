import {
  checkIdMap,
  containerId,
  hostId,
  type IdMap,
  idMapText,
  mergeIdMap,
  parseIdMap,
  sameIdMap,
} from '@libcontainer/namespaces'
import { parseSubIds, subIdRanges } from '@libcontainer/user'
import { answer, hold, same, textOf } from '../support/oracles.js'

/** The ids around the edges of a map's lines, where mistakes are. */
const edges = (map: readonly IdMap[], side: 'containerId' | 'hostId'): number[] =>
  map
    .slice(0, 20)
    .flatMap(entry => [entry[side] - 1, entry[side], entry[side] + entry.size - 1, entry[side] + entry.size])

function checkTranslation(map: readonly IdMap[]): void {
  const merged = mergeIdMap(map)
  hold(merged.length <= map.length && sameIdMap(map, merged), 'a merged map is another map')
  checkIdMap(merged, 'merged')
  for (const id of edges(map, 'containerId')) {
    const outside = answer(() => hostId(map, id))
    same(
      answer(() => hostId(merged, id)),
      outside,
      `id ${id} of a merged map`,
    )
    if (outside === undefined) continue
    hold(outside >= 0 && outside < 0xffffffff, `the id ${id} is ${outside} outside`)
    same(containerId(map, outside), id, 'there and back')
  }
  for (const id of edges(map, 'hostId')) {
    const inside = answer(() => containerId(map, id))
    if (inside !== undefined) same(hostId(map, inside), id, 'back and there')
  }
}

/** A map that is taken translates one to one, as each of its lines says; the same file as one of subordinate ids has ranges of ids alone. */
export function fuzz(data: Uint8Array): void {
  const text = textOf(data)
  for (const { user, start, count } of parseSubIds(text)) {
    hold(
      user !== '' && Number.isInteger(start) && Number.isInteger(count) && count > 0 && start + count <= 0xffffffff,
      'no range of ids',
    )
    hold(subIdRanges(text, { name: user }).length > 0, 'a range whose user has none')
  }
  const map = answer(() => parseIdMap(text))
  if (map === undefined) return
  hold(map.length <= text.length, 'more lines than the text has')
  for (const { containerId, hostId, size } of map)
    hold([containerId, hostId, size].every(Number.isSafeInteger), 'a line of a map that is no numbers')
  same(parseIdMap(idMapText(map)), map, 'written and read again')
  if (answer(() => checkIdMap(map, 'uidMappings') ?? true)) checkTranslation(map)
}

export function seeds(): string[] {
  return [
    '         0          0 4294967295\n',
    '0 1000 1\n1 100000 65536\n',
    '0 100000 1000\n1000 101000 10\n70000 5 1\n',
    'root:100000:65536\n1000:165536:65536\n# no\nx:4294967290:5\n',
  ]
}
