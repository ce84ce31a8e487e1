import {
  checkMemoryPolicy,
  MAX_NODES,
  type MemoryPolicy,
  memoryPolicyFlags,
  memoryPolicyModes,
  setMemoryPolicy,
} from '@libcontainer/init'
import { ConfigInvalid } from '@libcontainer/sys'
import { nodesOf } from '../sharing.js'
import type { Fields } from './fields.js'

/* A memory policy as a config of 2026 has it: the kernel's numbers, and the nodes as the words of a mask. */

const WORD = 64

export function readMemoryPolicy(policy: Fields | undefined): MemoryPolicy | undefined {
  if (policy === undefined) return undefined
  const number = policy.number('mode', 0) ?? 0
  const bits = policy.number('flags', 0) ?? 0
  const words = policy.list('nodes', word) ?? []
  policy.end('the memory_policy of 2026')
  const mode = named(memoryPolicyModes, number)
  if (mode === undefined)
    throw new ConfigInvalid(policy.field('mode'), number, 'must be the number of a mode of set_mempolicy(2)')
  const flags = Object.entries(memoryPolicyFlags).filter(([, bit]) => bits & bit)
  if (flags.reduce((rest, [, bit]) => rest & ~bit, bits) !== 0)
    throw new ConfigInvalid(policy.field('flags'), bits, 'must be flags of set_mempolicy(2)')
  const nodes = Array.from({ length: Math.min(words.length * WORD, MAX_NODES) }, (_, i) => i).filter(
    i => (words[Math.floor(i / WORD)]! >> BigInt(i % WORD)) & 1n,
  )
  const read = {
    mode,
    ...(flags.length > 0 && { flags: flags.map(([name]) => name) }),
    ...(nodes.length > 0 && { nodes: nodes.join(',') }),
  }
  checkMemoryPolicy(read, policy.at)
  return read
}

const named = (known: Readonly<Record<string, number>>, number: number): string | undefined =>
  Object.keys(known).find(name => known[name] === number)

function word(value: unknown, at: string): bigint {
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return BigInt.asUintN(WORD, BigInt(value as number))
  throw new ConfigInvalid(at, value, 'must be a word of a mask: an integer')
}

export function writeMemoryPolicy(policy: MemoryPolicy): object {
  const [bits, mask] = setMemoryPolicy(policy, nodesOf(policy, 'memoryPolicy')).args as [number, Uint8Array]
  const mode = memoryPolicyModes[policy.mode]
  const words = new BigUint64Array(MAX_NODES / WORD)
  new Uint8Array(words.buffer).set(mask)
  return { mode, flags: bits & ~mode, ...(mask.length > 0 && { nodes: [...words] }) }
}
