#!/usr/bin/env node
// npm run bench: containers of ours beside crun's, runc's and those of Go's libcontainer, in one run. See bench/README.md.
import { existsSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { benchmark, rounds, tellVersions } from '../bench/benchmark.mjs'
import { CommandLine, gatherRuntimes, Library, makeBundles } from '../bench/contender.mjs'
import { buildGo, buildTimed, goLibrary, versionOf, which } from '../bench/find.mjs'
import { goals, markdown } from '../bench/goals.mjs'
import { crowd, measurements } from '../bench/measurements.mjs'
import { summarize, table } from '../bench/report.mjs'
import { sweep, sweepWhenTold } from '../bench/sweep.mjs'
import { top } from './quietly.mjs'

const names = [...Object.keys(measurements), 'crowd']
const options = {
  rounds: rounds(50, 10),
  crowd: { count: 1000, quick: 100, about: 'how many containers are alive at once, of each runtime in turn' },
  only: { value: 'NAME,…', about: `of ${names.join(', ')}` },
  markdown: { about: 'ends with the table of lcrun for docs/performance.md' },
}

const rootfs = join(top, 'test-rootfs/busybox')
const prefix = `libcontainer-bench-${process.pid}`

/** Everybody who is here; for the others a line that says how to get them. */
async function gather(directory) {
  const timed = await buildTimed()
  const state = name => {
    const path = join(directory, name)
    return path
  }
  const api = new Library('API, Node.js', {
    command: [process.execPath, join(top, 'bench/api.mjs'), state('api'), rootfs, `${prefix}-api`],
  })
  const contenders = [api]
  const versions = { 'API, Node.js': `Node.js ${process.versions.node}` }
  const executable = join(top, 'bundles/nsinit')
  if (existsSync(executable)) {
    versions.nsinit = versionOf(executable)
    contenders.push(
      new CommandLine('nsinit', {
        program: executable,
        directory: state('nsinit'),
        timed,
        rootfs,
        prefix: `${prefix}-nsinit`,
      }),
    )
  } else console.error('bench: without the static executable: npm run binary')
  const runtimes = gatherRuntimes({ directory, timed, rootfs, prefix })
  Object.assign(versions, runtimes.versions)
  contenders.push(...runtimes.contenders)
  const go = which('go')
  if (go === undefined) console.error("bench: without Go's libcontainer: apt-get install -y golang libseccomp-dev")
  else {
    versions['libcontainer, Go'] = `runc/libcontainer ${goLibrary()}, ${versionOf(go, 'version')}`
    const bundle = makeBundles(state('go'), { rootfs, prefix: `${prefix}-go` })
    contenders.push(
      new Library('libcontainer, Go', { command: [await buildGo(go), join(state('go'), 'state')], bundle }),
    )
  }
  return { contenders, api, versions }
}

const against = ['crun', 'runc', 'libcontainer, Go', ...['lcrun', 'crun', 'runc'].map(name => `${name}, none alive`)]

/** One measurement, or those that share a crowd. */
async function measured(name, gathered, { rounds, crowd: size }) {
  if (name === 'crowd') return await crowd(gathered, { rounds, size })
  const { title, unit = 'ms', measure } = measurements[name]
  return [{ name, title, unit, results: await measure(gathered, { rounds }) }]
}

await benchmark(options, async given => {
  if (!existsSync(rootfs)) throw new Error('the root filesystem is absent: test-rootfs/busybox.sh makes it')
  const wanted = given.only?.split(',') ?? names
  const unknown = wanted.find(name => !names.includes(name))
  if (unknown !== undefined) throw new Error(`nothing is called ${unknown}: --only is ${options.only.about}`)
  const directory = mkdtempSync('/run/libcontainer-bench-')
  sweepWhenTold(prefix, directory)
  try {
    const gathered = await gather(directory)
    tellVersions(gathered.versions)
    const summaries = []
    for (const name of wanted) {
      for (const part of await measured(name, gathered, given)) {
        const summary = summarize(part)
        summaries.push(summary)
        console.log(`\n${table(summary, against)}`)
      }
    }
    console.log(`\n${goals(summaries).join('\n')}`)
    if (given.markdown) console.log(`\n${markdown(summaries)}`)
    await Promise.all(gathered.contenders.map(each => each.close()))
    return { versions: gathered.versions, summaries }
  } finally {
    await sweep(prefix, directory)
  }
})
