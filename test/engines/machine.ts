import { readdirSync, readFileSync } from 'node:fs'

export interface RunningProcess {
  pid: number
  /** A letter, as in proc(5): `Z` is one that ended and that its parent has not asked for. */
  state: string
  command: string
}

/** Those of this machine: of this pid namespace. */
export function processes(): RunningProcess[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => {
      try {
        const state = /\) (\S)/.exec(readFileSync(`/proc/${name}/stat`, 'latin1'))?.[1] ?? '?'
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').join(' ').trim()
        return [{ pid: Number(name), state, command }]
      } catch {
        // It ended meanwhile.
        return []
      }
    })
}
