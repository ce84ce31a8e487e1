/* Two limits that cgroup v2 does not have. */

/**
 * Tells that a limit of kernel memory changes nothing. v1's memory.kmem.limit_in_bytes is deprecated since Linux 5.4, refused since 5.16, and
 * since 6.6 taken without effect.
 *
 * @param field - what asks for it: a place in a file, or a flag
 */
export const noKernelMemory = (field: string): string =>
  `${field}: changes nothing, kernel memory counts as memory and has no limit of its own since Linux 5.16`

/** The same of what TCP keeps: v1's memory.kmem.tcp.limit_in_bytes is another limit, beside that of memory, which nobody sets here. */
export const noTcpMemory = (field: string): string =>
  `${field}: changes nothing, cgroup v2 has no limit of TCP's memory, and that of cgroup v1 is not set`
