#!/usr/bin/env node
// npm run bench: containers of ours beside crun's, runc's and those of Go's libcontainer, in one run. See bench/README.md.
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CommandLine, Library, makeBundles, Runtime } from '../bench/contender.mjs'
import { buildGo, buildTimed, goLibrary, versionOf, which } from '../bench/find.mjs'
import { goals } from '../bench/goals.mjs'
import { summarize, table } from '../bench/report.mjs'
import { interleave } from '../bench/statistics.mjs'
import { sweep } from '../bench/sweep.mjs'
import { top } from './quietly.mjs'

const usage = `usage: npm run bench -- [--quick] [--rounds N] [--only NAME,…] [--json FILE]
  --quick       a fifth of the rounds: a first impression
  --rounds N    how often each contender has its turn; default 50
  --only NAME   of run, run-seccomp, exec, memory, run-100
  --json FILE   writes every single run, too
`

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const rounds = options.rounds === undefined ? (options.quick ? 10 : 50) : Number(options.rounds)
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
  // crun refuses a hybrid host: it is given a mount namespace in which the unified hierarchy is not there.
  const hybrid = existsSync('/sys/fs/cgroup/unified/cgroup.procs')
  const hide = ['unshare', '-m', 'sh', '-c', 'umount /sys/fs/cgroup/unified && exec "$0" "$@"']
  for (const [name, before] of [
    ['crun', hybrid ? hide : []],
    ['runc', []],
  ]) {
    const program = which(name)
    if (program === undefined) {
      console.error(`bench: without ${name}: apt-get install -y --no-install-recommends ${name}`)
      continue
    }
    versions[name] = versionOf(program)
    contenders.push(
      new Runtime(name, { program, directory: state(name), timed, rootfs, prefix: `${prefix}-${name}`, before }),
    )
  }
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

/** Resident memory of a process, in kB. */
function resident(pid) {
  return Number(/^Rss: +(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1])
}

const measurements = {
  run: {
    title: 'create, start, wait, destroy: /bin/true, no seccomp',
    measure: ({ contenders }) => interleave(contenders, rounds, each => each.run('none')),
  },
  'run-seccomp': {
    title: 'create, start, wait, destroy: /bin/true, default seccomp profile',
    measure: ({ contenders }) => interleave(contenders, rounds, each => each.run('default')),
  },
  exec: {
    title: 'exec /bin/true into a running container, and wait',
    measure: async ({ contenders }) => {
      contenders = contenders.filter(each => each.hold !== undefined)
      for (const each of contenders) await each.hold()
      const results = await interleave(contenders, rounds, each => each.exec())
      for (const each of contenders) await each.remove()
      return results
    },
  },
  memory: {
    title: 'memory of a container that waits to be started (Rss of its init)',
    unit: 'kB',
    measure: ({ contenders }) =>
      interleave(
        contenders.filter(each => each.create !== undefined),
        Math.ceil(rounds / 10),
        async each => {
          const rss = resident(await each.create())
          await each.remove()
          return rss
        },
        { warmUp: 0 },
      ),
  },
  'run-100': {
    title: 'create, start, wait, destroy: /bin/true, no seccomp, with 100 containers alive (made through the API)',
    measure: async ({ contenders, api }) => {
      await api.crowd(100)
      const results = await interleave(contenders, Math.ceil(rounds / 2), each => each.run('none'))
      await api.remove()
      return results
    },
  },
}

async function main() {
  if (options.help) {
    process.stdout.write(usage)
    return
  }
  if (process.getuid() !== 0) throw new Error('needs root: sudo npm run bench')
  if (!existsSync(rootfs) || !existsSync(join(top, 'packages/container/dist/index.js')))
    throw new Error('the work tree is not built: run npm start, or npm run build && test-rootfs/busybox.sh')
  const wanted = options.only?.split(',') ?? Object.keys(measurements)
  const unknown = wanted.find(name => !(name in measurements))
  if (unknown !== undefined || !Number.isInteger(rounds) || rounds < 1) throw new Error(usage)

  const directory = mkdtempSync('/run/libcontainer-bench-')
  const stop = signal => void sweep(prefix, directory).finally(() => process.exit(signal === 'SIGINT' ? 130 : 143))
  process.once('SIGINT', stop).once('SIGTERM', stop)
  try {
    const gathered = await gather(directory)
    const load = loadavg()
    const machine = {
      processor: `${cpus().length} × ${cpus()[0].model}`,
      kernel: release(),
      load: load.map(each => each.toFixed(2)).join(' '),
    }
    console.log(`${machine.processor}, Linux ${machine.kernel}, load ${machine.load}, ${rounds} rounds`)
    for (const [name, version] of Object.entries(gathered.versions)) console.log(`${name}: ${version}`)
    const summaries = []
    for (const name of wanted) {
      const { title, unit = 'ms', measure } = measurements[name]
      const summary = summarize({ name, title, unit, results: await measure(gathered) })
      summaries.push(summary)
      console.log(`\n${table(summary, ['crun', 'runc', 'libcontainer, Go'])}`)
    }
    console.log(`\n${goals(summaries).join('\n')}`)
    if (options.json !== undefined) {
      const report = { date: new Date().toISOString(), machine, versions: gathered.versions, rounds, summaries }
      writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`)
    }
    await Promise.all(gathered.contenders.map(each => each.close()))
  } finally {
    await sweep(prefix, directory)
  }
}

try {
  await main()
} catch (error) {
  console.error(`bench: ${error.message}`)
  process.exitCode = 1
}
