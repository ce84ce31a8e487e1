import {
  checkMemoryPolicy,
  MAX_NODES,
  type MemoryPolicy,
  memoryPolicyFlags,
  memoryPolicyModes,
  setMemoryPolicy,
} from '@libcontainer/init'
import { ConfigInvalid } from '@libcontainer/sys'
import { nodesOf } from '../config/sharing.js'
import type { Fields } from './fields.js'
import { maskNumbers, maskWord, maskWords } from './mask-2026.js'

/* A memory policy as a config of 2026 has it: the kernel's numbers, and the nodes as a mask. */

export function readMemoryPolicy(policy: Fields | undefined): MemoryPolicy | undefined {
  if (policy === undefined) return undefined
  const number = policy.number('mode', 0) ?? 0
  const bits = policy.number('flags', 0) ?? 0
  const words = policy.list('nodes', maskWord) ?? []
  policy.end('the memory_policy of 2026')
  const mode = named(memoryPolicyModes, number)
  if (mode === undefined)
    throw new ConfigInvalid(policy.field('mode'), number, 'must be the number of a mode of set_mempolicy(2)')
  const flags = Object.entries(memoryPolicyFlags).filter(([, bit]) => bits & bit)
  if (flags.reduce((rest, [, bit]) => rest & ~bit, bits) !== 0)
    throw new ConfigInvalid(policy.field('flags'), bits, 'must be flags of set_mempolicy(2)')
  const nodes = maskNumbers(words, MAX_NODES)
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

export function writeMemoryPolicy(policy: MemoryPolicy): object {
  const nodes = nodesOf(policy, 'memoryPolicy')
  const [bits] = setMemoryPolicy(policy, nodes).args as [number]
  const mode = memoryPolicyModes[policy.mode]
  return { mode, flags: bits & ~mode, ...(nodes.length > 0 && { nodes: maskWords(nodes, MAX_NODES) }) }
}
