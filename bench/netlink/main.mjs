#!/usr/bin/env node
// node bench/netlink/main.mjs: @libcontainer/netlink beside vishvananda's netlink, pyroute2 and ip, in one network namespace. See bench/README.md.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addRouteRequest, Netlink, Netns } from '@libcontainer/netlink'
import { top } from '../../scripts/quietly.mjs'
import { benchmark, rounds, tellVersions } from '../benchmark.mjs'
import { Worker } from '../contender.mjs'
import { buildGo, buildTimed, goLibrary, installPyroute2, versionOf, which } from '../find.mjs'
import { goal } from '../goals.mjs'
import { summarize, table } from '../report.mjs'
import { interleave } from '../statistics.mjs'
import { sweepWhenTold } from '../sweep.mjs'

const prefix = `libcontainer-bench-${process.pid}`
const OURS = '@libcontainer/netlink'
const GO = 'vishvananda/netlink, Go'
const PYTHON = 'pyroute2'
const IP = 'ip -j'
/** Each measurement twice: by the clock, and by what it takes of the processor. */
const PROCESSOR = ', of the processor'

/** Pairs of veth that are made and deleted in a turn. */
const PAIRS = 5
/** Of requests that this process sends at a time to set the stage. */
const AT_ONCE = 1000
const DEVICE = 'bench-addr'
const MiB = 1024

/** What of theirs our times may be at most: nine tenths of Go's throughput, and a tenth of pyroute2's time. */
const wanted = {
  veth: { [GO]: 1 / 0.9 },
  addresses: { [GO]: 1 / 0.9 },
  links: { [GO]: 1 / 0.9, [PYTHON]: 0.1 },
  routes: { [GO]: 1 / 0.9 },
  python: { [PYTHON]: 0.1 },
  stream: { [GO]: 1 / 0.9 },
}
const MOST_GROWTH = 16 * MiB

const NAMES = ['veth', 'addresses', 'one', 'links', 'routes', 'python', 'stream', 'memory']
const options = {
  rounds: rounds(30, 5),
  links: { count: 1000, quick: 100, about: 'how many links are listed' },
  addresses: { count: 1000, quick: 100, about: 'how many addresses are added' },
  routes: { count: 100_000, quick: 10_000, about: 'how many routes are dumped' },
  only: { value: 'NAME,…', about: `of ${NAMES.join(', ')}` },
}

/** The command that does what an order says, a process each. */
class Ip {
  name = IP
  #worker
  #program
  #errors
  #batch

  constructor({ inside, timed, directory, addresses }) {
    this.#program = which('ip')
    this.#errors = join(directory, 'errors')
    this.#batch = join(directory, 'batch')
    const lines = Array.from({ length: addresses }, (_, i) => `addr add 10.0.${i >> 8}.${i & 255}/32 dev ${DEVICE}\n`)
    writeFileSync(this.#batch, lines.join(''))
    this.#worker = new Worker([...inside, timed, this.#errors])
  }

  async ask(order) {
    const [name, count] = order.split(' ')
    const commands = {
      links: [['-j', 'link']],
      routes: [['-j', 'route']],
      stream: [['-j', 'route']],
      addresses: [['-batch', this.#batch]],
      veth: Array.from({ length: Number(count) }, () => [
        ['link', 'add', 'bench-a', 'type', 'veth', 'peer', 'name', 'bench-b'],
        ['link', 'del', 'bench-a'],
      ]).flat(),
    }[name]
    let [took, processor] = [0, 0]
    for (const command of commands ?? []) {
      const answer = await this.#worker.ask(['/', this.#program, ...command].join('\t'))
      const [ns, status, , us] = answer.split(' ').map(Number)
      if (status !== 0)
        throw new Error(`ip ${command.join(' ')}: status ${status}: ${readFileSync(this.#errors, 'utf8').trim()}`)
      took += ns
      processor += us
    }
    return `${took} ${processor} 0`
  }

  close = () => this.#worker.close()
}

/** A process that does what orders say, one after another. */
class Asked extends Worker {
  constructor(name, command) {
    super(command)
    this.name = name
    this.another = () => new Asked(name, command)
  }
}

async function gather(inside, directory, { addresses }) {
  const contenders = [new Asked(OURS, [...inside, process.execPath, join(top, 'bench/netlink/ours.mjs')])]
  const versions = { [OURS]: `Node.js ${process.versions.node}` }
  const go = which('go')
  if (go === undefined) console.error("bench: without Go's netlink: apt-get install -y golang")
  else {
    versions[GO] = `${goLibrary('netlink')}, ${versionOf(go, 'version')}`
    contenders.push(new Asked(GO, [...inside, await buildGo(go, 'netlink')]))
  }
  const python = await installPyroute2()
  if (python === undefined) console.error('bench: without pyroute2: apt-get install -y python3-pip')
  else {
    versions[PYTHON] = `${python.version}, ${versionOf(python.command.at(-1))}`
    contenders.push(new Asked(PYTHON, [...inside, ...python.command, join(top, 'bench/netlink/python.py')]))
  }
  if (which('ip') === undefined) console.error('bench: without ip: apt-get install -y iproute2')
  else {
    versions[IP] = versionOf(which('ip'), '-V')
    contenders.push(new Ip({ inside, timed: await buildTimed(), directory, addresses }))
  }
  return { contenders, versions }
}

async function inBatches(socket, count, requestOf) {
  for (let from = 0; from < count; from += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, i) => requestOf(from + i))
    const refused = (await socket.batch(some)).find(({ error }) => error !== undefined)
    if (refused !== undefined) throw refused.error
  }
}

/** What has to be there, made once. */
const stages = {
  async links(net, { links }) {
    for (let i = 0; i < links / 2; i++) await net.links.add({ kind: 'veth', name: `bench-${i}`, peer: `bench-${i}-p` })
  },
  async routes(net, { routes }) {
    const dev = 'bench-way'
    await net.links.add({ kind: 'veth', name: dev, peer: `${dev}-p`, up: true })
    await net.links.set(`${dev}-p`, { up: true })
    await net.addresses.add(dev, '192.0.2.1/24')
    const index = await net.links.index(dev)
    const nth = i => `10.${i >> 14}.${(i >> 6) & 255}.${(i & 63) << 2}/30`
    await inBatches(net.socket, routes, i => addRouteRequest({ destination: nth(i), gateway: '192.0.2.2', dev: index }))
  },
}

/** One turn of addresses: a link for them, which goes with them. */
const link = {
  before: net => net.links.add({ kind: 'veth', name: DEVICE, peer: `${DEVICE}-p`, up: true }),
  after: net => net.links.delete(DEVICE),
}

/** What is measured, in this order: routes make each deletion of a link longer, whoever asks for it. */
const measurements = {
  veth: { title: () => `${PAIRS} pairs of veth made and deleted, one after another`, order: () => `veth ${PAIRS}` },
  addresses: {
    title: ({ addresses }) => `${addresses} addresses added to a link`,
    order: ({ addresses }) => `addresses ${DEVICE} ${addresses}`,
    ...link,
  },
  one: {
    title: ({ addresses }) => `${addresses} addresses, of which ours waits for each`,
    order: ({ addresses }) => `one ${DEVICE} ${addresses}`,
    ...link,
    without: [PYTHON, IP],
  },
  links: {
    stage: 'links',
    title: ({ links }) => `a list of ${links} links`,
    order: () => 'links',
    counted: ({ links }) => links,
  },
  routes: {
    stage: 'routes',
    title: ({ routes }) => `a dump of ${routes} routes, as a list`,
    order: () => 'routes',
    counted: ({ routes }) => routes,
    share: 3,
    without: [PYTHON],
  },
  // Half a minute and more for each of theirs.
  python: {
    stage: 'routes',
    title: ({ routes }) => `the same dump of ${routes} routes, beside pyroute2`,
    order: () => 'routes',
    counted: ({ routes }) => routes,
    share: 15,
    warmUp: 0,
    without: [GO, IP],
  },
  stream: {
    stage: 'routes',
    title: ({ routes }) => `a dump of ${routes} routes, one by one`,
    order: () => 'stream',
    counted: ({ routes }) => routes,
    share: 3,
    without: [PYTHON, IP],
  },
}

async function measured(name, { contenders, net, sizes }) {
  const { title, order, before, after, counted, share = 1, warmUp = 2, without = [] } = measurements[name]
  const processor = new Map()
  const results = await interleave(
    contenders.filter(each => !without.includes(each.name)),
    Math.ceil(sizes.rounds / share),
    async each => {
      await before?.(net)
      const [ns, us, count] = (await each.ask(order(sizes))).split(' ').map(Number)
      await after?.(net)
      if (counted !== undefined && each.name !== IP && count < counted(sizes))
        throw new Error(`${each.name}: ${name}: ${count}, not ${counted(sizes)}`)
      processor.set(each.name, [...(processor.get(each.name) ?? []), us * 1000])
      return ns
    },
    { warmUp },
  )
  // Without those of the first rounds, which are not counted.
  for (const [who, runs] of processor) processor.set(who, runs.slice(-results.get(who).length))
  const words = title(sizes)
  return [
    summarize({ name, title: words, unit: 'ms', results }),
    summarize({ name: `${name}${PROCESSOR}`, title: `${words}${PROCESSOR}`, unit: 'ms', results: processor }),
  ]
}

/** By how much resident memory is above what it was, at most, while a process dumps for the first time, one by one. */
async function growth(contenders, { rounds }) {
  const status = (pid, field) =>
    Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1])
  const results = await interleave(
    contenders.filter(each => each.name === OURS || each.name === GO),
    Math.ceil(rounds / 3),
    async each => {
      const fresh = each.another()
      // Until all is loaded.
      await fresh.ask('veth 0')
      // Its high-water mark is what it has now: proc_pid_clear_refs(5).
      writeFileSync(`/proc/${fresh.pid}/clear_refs`, '5')
      const before = status(fresh.pid, 'VmRSS')
      await fresh.ask('stream')
      const most = status(fresh.pid, 'VmHWM')
      await fresh.close()
      return most - before
    },
    { warmUp: 0 },
  )
  const title = 'the most that resident memory grows by during the first such dump of a process'
  return summarize({ name: 'memory', title, unit: 'kB', results })
}

function goals(summaries) {
  return summaries.flatMap(({ name, ratios, contenders }) => {
    if (name === 'memory')
      return [goal(`${OURS}, kB that memory grows by at most`, Math.max(...contenders[OURS].runs), MOST_GROWTH)]
    return Object.entries(wanted[name] ?? {}).flatMap(([theirs, most]) => {
      const found = ratios[OURS][theirs]
      return found === undefined ? [] : [goal(`${OURS} / ${theirs}, ${name}`, found.median, most)]
    })
  })
}

await benchmark(options, async sizes => {
  const directory = mkdtempSync(join(tmpdir(), 'libcontainer-bench-'))
  sweepWhenTold(prefix, directory)
  // It has no name: whatever is in it goes when the processes here end, however they do.
  const netns = await Netns.create()
  const net = await Netlink.open({ namespace: netns })
  try {
    const inside = ['nsenter', `--net=/proc/${process.pid}/fd/${netns.fd.fd}`]
    const { contenders, versions } = await gather(inside, directory, sizes)
    tellVersions(versions)
    const summaries = []
    const staged = new Set()
    for (const name of NAMES) {
      if (sizes.only !== undefined && !sizes.only.split(',').includes(name)) continue
      const stage = measurements[name]?.stage ?? (name === 'memory' ? 'routes' : undefined)
      if (stage !== undefined && !staged.has(stage)) await stages[stage](net, sizes)
      staged.add(stage)
      const found =
        name === 'memory' ? [await growth(contenders, sizes)] : await measured(name, { contenders, net, sizes })
      for (const summary of found) console.log(`\n${table(summary, [GO, PYTHON, IP])}`)
      summaries.push(...found)
    }
    console.log(`\n${goals(summaries).join('\n')}`)
    await Promise.all(contenders.map(each => each.close()))
    return { versions, summaries }
  } finally {
    net.close()
    netns.close()
    rmSync(directory, { recursive: true, force: true })
  }
})
