#!/usr/bin/env node
// node bench/checkpoint/main.mjs, where CRIU works: containers saved and brought back by lcrun and by runc, turn by turn. See bench/README.md.
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { imageSize, parseStats } from '@libcontainer/criu'
import { top } from '../../scripts/quietly.mjs'
import { criuModules } from '../../vm/worlds.mjs'
import { benchmark, rounds, tellVersions } from '../benchmark.mjs'
import { versionOf, which } from '../find.mjs'
import { goal } from '../goals.mjs'
import { summarize, table } from '../report.mjs'
import { interleave, median } from '../statistics.mjs'

const options = {
  rounds: rounds(5, 2),
}

/** Where the program writes for how long it stood still, in its root. */
const PAUSES = '/pauses'
const MIB = 128

const [OURS, THEIRS] = ['lcrun', 'runc']
/** What of runc's our times and images may be at most; and of the pause of one dump the pause of one after two of the memory. */
const MOST = { times: 1, sizes: 1, pause: 0.5 }

/** Runs a command to its end. Nothing of ours is left to what it starts: CRIU does not save what leads out of a container. */
function run(program, ...args) {
  const start = process.hrtime.bigint()
  const { status, signal } = spawnSync(program, args, { stdio: 'ignore' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${signal ?? status}`)
  return Number(process.hrtime.bigint() - start)
}

/** A bundle that has one static program. */
function bundle(place, program, ...args) {
  const name = basename(program)
  const folder = join(place, `bundle-${name}`)
  mkdirSync(join(folder, 'rootfs'), { recursive: true })
  copyFileSync(program, join(folder, 'rootfs', name))
  execFileSync(THEIRS, ['spec'], { cwd: folder })
  const spec = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'))
  Object.assign(spec.process, { terminal: false, args: [`/${name}`, ...args] })
  // CRIU of Debian gives nobody back that he shall get no new privileges.
  spec.process.noNewPrivileges = false
  spec.root.readonly = false
  writeFileSync(join(folder, 'config.json'), JSON.stringify(spec))
  return folder
}

/** One container by one runtime. */
class Contained {
  constructor(place, { program, name }, folder) {
    this.images = mkdtempSync(join(place, 'images-'))
    this.program = program
    this.id = `bench-${name}-${process.pid}`
    this.folder = folder
    this.pauses = join(folder, `rootfs${PAUSES}`)
    run(program, 'run', '--detach', '--bundle', folder, this.id)
  }

  /** @returns the images of one more checkpoint, the time that it took, and for how long CRIU says that its processes stood still, both in ns */
  save(name, ...flags) {
    const [images, work] = [join(this.images, name), join(this.images, `${name}.work`)]
    const ns = run(this.program, 'checkpoint', '--image-path', images, '--work-path', work, ...flags, this.id)
    const { dump } = parseStats(readFileSync(join(work, 'stats-dump')))
    return { images, ns, frozen: dump.frozenUs * 1000 }
  }

  restore(images) {
    return run(this.program, 'restore', '--detach', '--bundle', this.folder, '--image-path', images, this.id)
  }

  end() {
    run(this.program, 'delete', '--force', this.id)
    rmSync(this.images, { recursive: true })
  }
}

async function plain(place, contenders, folder, rounds) {
  const [restored, sizes] = [new Map(), new Map()]
  const note = (map, { name }, value) => map.set(name, [...(map.get(name) ?? []), value])
  const measure = async contender => {
    const container = new Contained(place, contender, folder)
    try {
      const { images, ns } = container.save('one')
      note(sizes, contender, (await imageSize(images)) / 1024)
      note(restored, contender, container.restore(images))
      return ns
    } finally {
      container.end()
    }
  }
  const saved = await interleave(contenders, rounds, measure, { warmUp: 1 })
  // Without those of the first round, which is not counted: CRIU learns of the kernel then, and keeps it.
  for (const map of [restored, sizes]) for (const [name, runs] of map) map.set(name, runs.slice(-rounds))
  return [
    { name: 'checkpoint', title: 'checkpoint of a container that sleeps', unit: 'ms', results: saved },
    { name: 'restore', title: 'its restore, detached', unit: 'ms', results: restored },
    { name: 'image', title: 'what the image takes', unit: 'kB', results: sizes },
  ].map(summarize)
}

/** It has filled its memory when its resident size says so. */
async function filled(container) {
  const { pid } = JSON.parse(execFileSync(container.program, ['state', container.id], { encoding: 'utf8' }))
  const resident = () => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  while (resident() < MIB * 1024) await sleep(100)
}

/** For how long the program itself says that it stood still while it was saved, in ns: from before CRIU has stopped it until it has gone on. */
async function pauseOf(container, ...how) {
  const told = () =>
    existsSync(container.pauses) ? readFileSync(container.pauses, 'utf8').split('\n').slice(0, -1) : []
  const before = told().length
  const { frozen } = container.save(...how)
  for (;;) {
    const longest = Math.max(0, ...told().slice(before).map(Number))
    if (longest >= frozen) return longest
    await sleep(20)
  }
}

async function busy(place, contenders, folder, rounds) {
  const chained = new Map(contenders.map(({ name }) => [name, []]))
  const once = await interleave(
    contenders,
    rounds,
    async contender => {
      const container = new Contained(place, contender, folder)
      try {
        await filled(container)
        const pause = await pauseOf(container, 'whole', '--leave-running')
        container.save('1', '--pre-dump')
        container.save('2', '--pre-dump', '--parent-path', '../1')
        chained.get(contender.name).push(await pauseOf(container, '3', '--leave-running', '--parent-path', '../2'))
        return pause
      } finally {
        container.end()
      }
    },
    { warmUp: 0 },
  )
  return [
    {
      name: 'pause',
      title: `${MIB} MiB of which a hundredth changes each second: the pause of one dump`,
      unit: 'ms',
      results: once,
    },
    { name: 'pause-chained', title: 'the pause of a dump after two of the memory', unit: 'ms', results: chained },
  ].map(summarize)
}

await benchmark(options, async ({ rounds }) => {
  run('modprobe', '--all', ...criuModules)
  const lcrun = join(top, 'bundles/linux-x64/lcrun')
  for (const program of ['criu', THEIRS, 'busybox'])
    if (which(program) === undefined)
      throw new Error(`no ${program}: this is for the virtual machine, npm run bench:checkpoint`)
  if (!existsSync(lcrun)) throw new Error('the executable is not built: npm run binary')
  const contenders = [
    { name: OURS, program: lcrun },
    { name: THEIRS, program: which(THEIRS) },
  ]
  const versions = Object.fromEntries(
    [...contenders, { name: 'criu', program: which('criu') }].map(({ name, program }) => [name, versionOf(program)]),
  )
  tellVersions(versions)
  // On the disk, where a user has images.
  const place = mkdtempSync('/var/tmp/libcontainer-bench-checkpoint-')
  try {
    const writer = join(place, 'writer')
    execFileSync('gcc', ['-O2', '-Wall', '-Wextra', '-static', '-o', writer, join(top, 'bench/checkpoint/writer.c')])
    const summaries = [
      ...(await plain(place, contenders, bundle(place, which('busybox'), 'sleep', '100000'), rounds)),
      ...(await busy(place, contenders, bundle(place, writer, `${MIB}`, PAUSES), rounds)),
    ]
    for (const summary of summaries) console.log(`\n${table(summary, [THEIRS])}`)
    const [saved, restored, image, once, chained] = summaries
    const ours = ({ contenders }) => median(contenders[OURS].runs)
    const beside = ({ ratios }) => ratios[OURS][THEIRS].median
    const goals = [
      goal(`${OURS} / ${THEIRS}, checkpoint`, beside(saved), MOST.times),
      goal(`${OURS} / ${THEIRS}, restore`, beside(restored), MOST.times),
      goal(`${OURS} / ${THEIRS}, image`, beside(image), MOST.sizes),
      goal('pause after two dumps of the memory / without', ours(chained) / ours(once), MOST.pause),
    ]
    console.log(`\n${goals.join('\n')}`)
    return { versions, summaries }
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
})
