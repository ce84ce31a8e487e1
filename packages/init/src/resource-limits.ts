/** The numbers of getrlimit(2)'s resources, the same on x86-64 and arm64. */
export const resourceLimits: Readonly<Record<string, number>> = Object.freeze({
  RLIMIT_CPU: 0,
  RLIMIT_FSIZE: 1,
  RLIMIT_DATA: 2,
  RLIMIT_STACK: 3,
  RLIMIT_CORE: 4,
  RLIMIT_RSS: 5,
  RLIMIT_NPROC: 6,
  RLIMIT_NOFILE: 7,
  RLIMIT_MEMLOCK: 8,
  RLIMIT_AS: 9,
  RLIMIT_LOCKS: 10,
  RLIMIT_SIGPENDING: 11,
  RLIMIT_MSGQUEUE: 12,
  RLIMIT_NICE: 13,
  RLIMIT_RTPRIO: 14,
  RLIMIT_RTTIME: 15,
})

/** The name of a limit from its name or its number: 2015's configurations have numbers. */
export function parseResourceLimit(type: string | number): string | undefined {
  if (typeof type === 'string') return Object.hasOwn(resourceLimits, type) ? type : undefined
  return Object.keys(resourceLimits).find(name => resourceLimits[name] === type)
}
