import { execFileSync } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { Bundle, type Maker, type Report } from '../bundles/bundle.js'

/** What a program has of its container: `status CapEff`, `mounts /proc`, `seccomp call 62`, each with its value. */
export type Facts = ReadonlyMap<string, string>

/** Of /proc/self/status: what is the container's, and not of this one run. */
const status =
  /^(Umask|Uid|Gid|Groups|Sig(Blk|Ign|Cgt)|Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp|Seccomp_filters|Speculation\w+|CoreDumping|THP_enabled)$/

export function factsOf(report: Report): Facts {
  const facts = new Map<string, string>()
  const add = (key: string, value: string): void => {
    // What is mounted on a mount has a number.
    let name = key
    for (let i = 2; facts.has(name); i++) name = `${key} #${i}`
    facts.set(name, value)
  }
  for (const [section, lines] of report)
    for (const line of lines) {
      if (section === 'mounts') {
        const [device = '', root = '', point = '', ...rest] = line.split(' ')
        add(
          `mounts ${point}`,
          [root === '/' ? '' : root, ...rest, device.startsWith('0:') ? '' : device].filter(Boolean).join(' '),
        )
        continue
      }
      const at = line.indexOf(':')
      const [key, value] = [
        line.slice(0, at),
        line
          .slice(at + 1)
          .trim()
          .replace(/\s+/g, ' '),
      ]
      if (section !== 'status' || status.test(key)) add(`${section} ${key}`, value)
    }
  return facts
}

/** Compiles the surveying program into a directory. */
export function compileSurvey(directory: string): string {
  const program = join(directory, 'survey')
  execFileSync('gcc', ['-static', '-O1', '-o', program, join(import.meta.dirname, 'survey.c')])
  return program
}

/** A bundle as a tool has made it, whose program tells what it sees. */
export class Surveyed implements Disposable {
  readonly #bundle: Bundle

  /** @param survey - of {@link compileSurvey} */
  constructor(maker: Maker, survey: string) {
    this.#bundle = new Bundle(maker)
    copyFileSync(survey, join(this.#bundle.path, 'rootfs/bin/sh'))
  }

  under(runtime: readonly string[]): Facts {
    return factsOf(this.#bundle.run(runtime).report)
  }

  [Symbol.dispose](): void {
    this.#bundle[Symbol.dispose]()
  }
}
