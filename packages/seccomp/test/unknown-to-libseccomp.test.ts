import { compile, syscallName, verdictOf } from '@libcontainer/seccomp'
import { expect, test } from 'vitest'
import { architectureOf } from '../src/architectures.js'
import { Meaning } from '../src/evaluate.js'
import { dataWords, instructions, run } from '../src/simulate.js'
import { syscallTable } from '../src/syscalls.js'
import { parseProfile } from '../src/validate.js'
import { generatedProfile, nearValues, Random } from './profiles.js'

test.each(['loongarch64', 'm68k', 'sh', 'sheb'] as const)(
  'SC-07 %s, where libseccomp is no oracle: generated profiles mean what they say, for every call',
  arch => {
    const { names, numbers } = syscallTable(arch)
    const { littleEndian } = architectureOf(arch)
    let compared = 0
    for (let seed = 1; seed <= 6; seed++) {
      const profile = generatedProfile(seed, [arch], new Set(names))
      const program = instructions(compile(profile, { arch }).filter)
      const meaning = new Meaning(parseProfile(profile), arch)
      const values = nearValues(profile)
      const random = new Random(seed)
      const conditional = new Set((profile.syscalls ?? []).filter(rule => rule.args).flatMap(rule => rule.names))
      for (const nr of [...numbers, numbers.at(-1)! + 1, 0xffffffff]) {
        const name = syscallName(arch, nr) ?? ''
        const samples = conditional.has(name) || name === 'socketcall' || name === 'ipc' ? 12 : 1
        for (let n = 0; n < samples; n++, compared++) {
          const args = Array.from({ length: 6 }, () => random.pick(values))
          const found = run(program, dataWords({ arch, nr, args }, littleEndian)) >>> 0
          const meant = meaning.of(arch, nr, args) >>> 0
          if (found !== meant) expect(verdictOf(found), `${seed}: ${name || nr}(${args})`).toEqual(verdictOf(meant))
        }
      }
    }
    expect(compared).toBeGreaterThan(2000)
  },
)
