import { type FlagOf, FlagWords, MAX_U16, type WordOf, Words } from '../message/words.js'

/** NUD_* of linux/neighbour.h. */
export const neighbourStates = new Words(
  {
    none: 0,
    incomplete: 0x01,
    reachable: 0x02,
    stale: 0x04,
    delay: 0x08,
    probe: 0x10,
    failed: 0x20,
    noarp: 0x40,
    permanent: 0x80,
  },
  MAX_U16,
)
export type NeighbourState = WordOf<typeof neighbourStates>

export const NTF_SELF = 0x02
export const NTF_MASTER = 0x04
export const NTF_PROXY = 0x08

/** NTF_*, and NTF_EXT_* above the lowest byte. */
export const neighbourFlags = new FlagWords({
  use: 0x01,
  self: NTF_SELF,
  master: NTF_MASTER,
  proxy: NTF_PROXY,
  extern_learn: 0x10,
  offload: 0x20,
  sticky: 0x40,
  router: 0x80,
  managed: 0x100,
  locked: 0x200,
  extern_valid: 0x400,
})
export type NeighbourFlag = FlagOf<typeof neighbourFlags>
