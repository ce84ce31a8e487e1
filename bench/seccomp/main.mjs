#!/usr/bin/env node
// node bench/seccomp/main.mjs: docker's default profile compiled by ours and by libseccomp, and containers with it and without. See bench/README.md.
import { existsSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { compile, explain, nativeArch } from '@libcontainer/seccomp'
import { top } from '../../scripts/quietly.mjs'
import { benchmark, rounds, tellVersions } from '../benchmark.mjs'
import { dockerProfile } from '../config.mjs'
import { gatherRuntimes, Worker } from '../contender.mjs'
import { buildLibseccomp, buildTimed } from '../find.mjs'
import { summarize, table } from '../report.mjs'
import { interleave, median, ratio } from '../statistics.mjs'
import { sweep, sweepWhenTold } from '../sweep.mjs'

const rootfs = join(top, 'test-rootfs/busybox')
const prefix = `libcontainer-bench-${process.pid}`
const OURS = '@libcontainer/seccomp'
const [LIST, TREE] = ['libseccomp', 'libseccomp, tree']
const ACTIONS = { SCMP_ACT_ALLOW: 0x7fff0000, SCMP_ACT_ERRNO: 0x00050000, SCMP_ACT_TRACE: 0x7ff00000 }

/** A profile as bench/seccomp/libseccomp.c is told it. */
function told({ defaultAction, defaultErrnoRet = 1, architectures, syscalls }) {
  const value = (action, errno) => ACTIONS[action] + (action === 'SCMP_ACT_ALLOW' ? 0 : errno)
  const lines = [`default ${value(defaultAction, defaultErrnoRet)}`]
  for (const arch of architectures) lines.push(`arch ${arch.slice('SCMP_ARCH_'.length).toLowerCase()}`)
  for (const { names, action, errnoRet = 1, args = [] } of syscalls) {
    const number = value(action, errnoRet)
    // libseccomp refuses a rule that says what the default says.
    if (number === value(defaultAction, defaultErrnoRet)) continue
    const words = args.map(({ index, op, value, valueTwo = 0 }) => `${index}:${op.slice(9)}:${value}:${valueTwo}`)
    for (const name of names) lines.push(['rule', number, name, ...words].join(' '))
  }
  return lines
}

/** Those who compile: ours in this process, libseccomp in one of its own that is told the profile once. */
async function compilers(profile) {
  const arch = nativeArch()
  const ours = {
    name: OURS,
    measure: async () => {
      const start = process.hrtime.bigint()
      compile(profile, { arch })
      return Number(process.hrtime.bigint() - start)
    },
    size: async () => explain(profile, { arch }).instructions,
    close: async () => {},
  }
  const program = await buildLibseccomp()
  if (program === undefined) {
    console.error('bench: without libseccomp: apt-get install -y gcc libseccomp-dev')
    return [ours]
  }
  const others = [LIST, TREE].map((name, i) => {
    const worker = new Worker([program, String(i + 1)])
    const begun = told(profile)
      .map(line => `${line}\n`)
      .join('')
    let first = begun
    const ask = async order => {
      const lines = first
      first = ''
      return Number(await worker.ask(`${lines}${order}`))
    }
    return { name, measure: () => ask('compile'), size: () => ask('size'), close: () => worker.close() }
  })
  return [ours, ...others]
}

async function compiling(profile, rounds) {
  const contenders = await compilers(profile)
  const sizes = []
  for (const each of contenders) sizes.push(`${each.name} ${await each.size()}`)
  console.log(
    `instructions: ${sizes.join(', ')}; at most ${explain(profile, { arch: nativeArch() }).longestPath} of ours for a call`,
  )
  const results = await interleave(contenders, rounds * 4, each => each.measure(), { warmUp: 20 })
  await Promise.all(contenders.map(each => each.close()))
  return summarize({ name: 'compile', title: 'docker’s default profile, compiled', unit: 'ms', results })
}

/** Containers with the profile and without, turn by turn. */
async function starting(runtimes, rounds) {
  const contenders = runtimes.flatMap(runtime =>
    [
      ['docker', 'docker’s profile'],
      ['none', 'no filter'],
    ].map(([bundle, words]) => ({ name: `${runtime.name}, ${words}`, measure: () => runtime.run(bundle) })),
  )
  const results = await interleave(contenders, rounds, each => each.measure())
  const title = 'run of /bin/true, with docker’s default profile and without a filter'
  return summarize({ name: 'start', title, unit: 'ms', results })
}

/** What the filter adds to a start. */
function costs(runtimes, { contenders }) {
  return runtimes.map(({ name }) => {
    const [filtered, plain] = ['docker’s profile', 'no filter'].map(words => contenders[`${name}, ${words}`].runs)
    const more = median(filtered.map((run, i) => run - plain[i])) / 1e6
    return `${name}: a filter makes a start ${ratio(filtered, plain).median.toFixed(2)} times as long, ${more.toFixed(2)} ms more`
  })
}

await benchmark({ rounds: rounds(50, 10) }, async ({ rounds }) => {
  if (!existsSync(rootfs)) throw new Error('the root filesystem is absent: test-rootfs/busybox.sh makes it')
  const directory = mkdtempSync('/run/libcontainer-bench-')
  sweepWhenTold(prefix, directory)
  try {
    const { contenders: runtimes, versions } = gatherRuntimes({ directory, timed: await buildTimed(), rootfs, prefix })
    tellVersions(versions)
    const summaries = [await compiling(dockerProfile(), rounds)]
    console.log(`\n${table(summaries[0], [LIST, TREE])}`)
    if (runtimes.length > 0) {
      summaries.push(await starting(runtimes, rounds))
      const against = ['crun', 'runc'].map(name => `${name}, docker’s profile`)
      console.log(`\n${table(summaries[1], against)}\n\n${costs(runtimes, summaries[1]).join('\n')}`)
    }
    await Promise.all(runtimes.map(each => each.close()))
    return { versions, summaries }
  } finally {
    await sweep(prefix, directory)
  }
})
