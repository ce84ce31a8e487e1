import { ConfigInvalid, type Step } from '@libcontainer/sys'

/** The modes of set_mempolicy(2), with their numbers. */
export const memoryPolicyModes = {
  MPOL_DEFAULT: 0,
  MPOL_PREFERRED: 1,
  MPOL_BIND: 2,
  MPOL_INTERLEAVE: 3,
  MPOL_LOCAL: 4,
  MPOL_PREFERRED_MANY: 5,
  MPOL_WEIGHTED_INTERLEAVE: 6,
} as const

/** The flags of the mode, with their bits. */
export const memoryPolicyFlags = {
  MPOL_F_NUMA_BALANCING: 1 << 13,
  MPOL_F_RELATIVE_NODES: 1 << 14,
  MPOL_F_STATIC_NODES: 1 << 15,
} as const

/** From which nodes of a NUMA machine a process gets its memory: set_mempolicy(2). */
export interface MemoryPolicy {
  readonly mode: keyof typeof memoryPolicyModes
  readonly flags?: readonly (keyof typeof memoryPolicyFlags)[] | undefined
  /** A list such as `0-3,7`. None for `MPOL_DEFAULT` and `MPOL_LOCAL`; `MPOL_PREFERRED` may have some, all others must. */
  readonly nodes?: string | undefined
}

/** As many nodes as a kernel can be built for: CONFIG_NODES_SHIFT is at most 10. */
export const MAX_NODES = 1024

/**
 * The parts of a policy but for its nodes: whoever reads the list, says which there are.
 *
 * @throws {ConfigInvalid} for what the kernel would refuse, or take for something else
 */
export function checkMemoryPolicy(value: unknown, field: string): asserts value is MemoryPolicy {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ConfigInvalid(field, value, 'must be an object')
  const { mode, flags = [], nodes, ...others } = value as Record<string, unknown>
  for (const [key, other] of Object.entries(others))
    throw new ConfigInvalid(`${field}.${key}`, other, 'must be one of mode, flags, nodes')
  oneOf(mode, memoryPolicyModes, `${field}.mode`)
  if (!Array.isArray(flags)) throw new ConfigInvalid(`${field}.flags`, flags, 'must be a list')
  for (const [i, flag] of flags.entries()) oneOf(flag, memoryPolicyFlags, `${field}.flags[${i}]`)
  if (flags.includes('MPOL_F_STATIC_NODES') && flags.includes('MPOL_F_RELATIVE_NODES'))
    throw new ConfigInvalid(`${field}.flags`, flags, 'must not have both of static and relative nodes')
  checkNodes(mode as MemoryPolicy['mode'], nodes, `${field}.nodes`)
}

function checkNodes(mode: MemoryPolicy['mode'], nodes: unknown, field: string): void {
  if (nodes !== undefined && typeof nodes !== 'string')
    throw new ConfigInvalid(field, nodes, 'must be a list such as 0-3,7')
  const given = nodes !== undefined && nodes !== ''
  if (given && (mode === 'MPOL_DEFAULT' || mode === 'MPOL_LOCAL'))
    throw new ConfigInvalid(field, nodes, `must be left out with ${mode}`)
  if (!given && !['MPOL_DEFAULT', 'MPOL_LOCAL', 'MPOL_PREFERRED'].includes(mode))
    throw new ConfigInvalid(field, nodes, `must be given with ${mode}`)
}

/** set_mempolicy(2). @param nodes - their numbers */
export function setMemoryPolicy({ mode, flags = [] }: MemoryPolicy, nodes: readonly number[]): Step {
  const mask = new Uint8Array(nodes.length === 0 ? 0 : 8 * Math.ceil((Math.max(...nodes) + 1) / 64))
  for (const number of nodes) mask[number >> 3]! |= 1 << (number & 7)
  return {
    op: 'setMemoryPolicy',
    args: [flags.reduce<number>((bits, flag) => bits | memoryPolicyFlags[flag], memoryPolicyModes[mode]), mask],
    about: `take memory by ${mode}${nodes.length === 0 ? '' : ` from the nodes ${nodes.join(', ')}`}`,
    hints: {
      EINVAL:
        'none of the nodes is there and in the cpuset of the container, or this kernel is older than the mode or flag',
      ENOSYS: 'this kernel was built without NUMA',
    },
  }
}

function oneOf(value: unknown, known: object, field: string): void {
  if (typeof value !== 'string' || !Object.hasOwn(known, value))
    throw new ConfigInvalid(field, value, `must be one of ${Object.keys(known).join(', ')}`)
}
