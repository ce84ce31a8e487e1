import { writeOwnProc } from '@libcontainer/init'
import { ConfigInvalid, type Step } from '@libcontainer/sys'
import type { ContainerConfig } from '../config/config.js'

/* Files of /proc/PID that a process keeps for itself. See seldom.ts. */

/** What may be written to each, and what it is called in an error. What is more than the process's own is not among them. */
const FILES: Readonly<Record<string, readonly [RegExp, string]>> = {
  autogroup: [/^(-?(1?\d)|-20)$/, 'a nice value from -20 to 19'],
  coredump_filter: [/^(0x[0-9a-f]{1,8}|\d{1,10})$/i, 'a mask of core(5), such as 0x33'],
  oom_score_adj: [/^(1000|-?\d{1,3}|-1000)$/, 'a number from -1000 to 1000'],
  timerslack_ns: [/^\d{1,20}$/, 'nanoseconds, 0 for the usual ones'],
}

/** What is wrong with them. Pure. */
export function procFileProblems({ procFiles, oomScoreAdj }: ContainerConfig): ConfigInvalid[] {
  if (procFiles === undefined) return []
  if (typeof procFiles !== 'object' || procFiles === null || Array.isArray(procFiles))
    return [new ConfigInvalid('procFiles', procFiles, 'must be an object of names and values')]
  return Object.entries(procFiles).flatMap(([name, value]) => {
    const field = `procFiles.${name}`
    const [valid, what] = (Object.hasOwn(FILES, name) ? FILES[name] : undefined) ?? []
    if (valid === undefined)
      return [
        new ConfigInvalid(
          field,
          value,
          `must be one of ${Object.keys(FILES).join(', ')}: others are not the process’s own`,
        ),
      ]
    if ((typeof value !== 'string' && typeof value !== 'number') || !valid.test(String(value)))
      return [new ConfigInvalid(field, value, `must be ${what}`)]
    if (name === 'oom_score_adj' && oomScoreAdj !== undefined)
      return [new ConfigInvalid(field, value, 'is said by oomScoreAdj too: leave one of them out')]
    return []
  })
}

/** The steps by which init writes its own: they outlast the exec. That of the OOM killer is `oomScoreAdj`, which somebody outside may lower. Pure. */
export const procFileSteps = (procFiles: NonNullable<ContainerConfig['procFiles']>): Step[] =>
  Object.entries(procFiles)
    .filter(([name]) => name !== 'oom_score_adj')
    .map(([name, value]) => writeOwnProc(name, String(value)))
