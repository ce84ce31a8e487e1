// What a run of tests left on the machine. usage: leaks.mjs snapshot FILE; then leaks.mjs compare FILE [--to REPORT] [--patience MS] [DIRECTORY…]
// `compare` names each thing that was not there at the snapshot, and whatever is in the directories (the tests' own, for temporary files); the report is
// for totals.mjs.
// A process is the run's where it has its LIBCONTAINER_TEST_RUN, where nobody is its parent any more, or where it has a namespace that is new.
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'

/** Some things take their time to go: a process that was killed, its cgroup, the links of a network namespace behind others that end. In milliseconds. */
const PATIENCE = 15_000

/** How many leaks a report names. */
const TOLD = 20

const namespaces = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'user', 'uts']

const lines = path => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [])
const list = path => (existsSync(path) ? readdirSync(path) : [])

/** For a process that ends while it is looked at. */
function ofProcess(read, otherwise) {
  try {
    return read()
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(error.code)) return otherwise
    throw error
  }
}

function processes() {
  const found = []
  for (const pid of list('/proc').filter(name => /^\d+$/.test(name))) {
    const stat = ofProcess(() => readFileSync(`/proc/${pid}/stat`, 'latin1'), '')
    const [, name, rest] = /^\d+ \((.*)\) (.*)$/s.exec(stat) ?? []
    if (rest === undefined) continue
    const fields = rest.split(' ')
    found.push({ pid: Number(pid), name, state: fields[0], parent: Number(fields[1]), start: fields[19] })
  }
  return found
}

const namespacesOf = pid =>
  namespaces.map(kind => ofProcess(() => readlinkSync(`/proc/${pid}/ns/${kind}`), undefined)).filter(Boolean)

/** Names of network namespaces: it stays, a mount of its own, as ip-netns(8) leaves it; what is in it does not. */
const NETNS = '/run/netns'

/** Mount points by what is on them: a second mount on the same point is one more. */
function mounts() {
  return lines('/proc/self/mountinfo')
    .map(line => line.split(' '))
    .filter(fields => fields[4] !== NETNS)
    .map(fields => {
      const [type, source] = fields.slice(fields.indexOf('-') + 1)
      return `${fields[4]} (${type} of ${source}, mount ${fields[0]})`
    })
}

/** systemd makes and removes its own beside ours. */
function cgroups() {
  const hierarchies = lines('/proc/self/mountinfo')
    .map(line => line.split(' '))
    .filter(fields => /^cgroup2?$/.test(fields[fields.indexOf('-') + 1]))
    .map(fields => fields[4])
  const stays = parentsOfNsinit(hierarchies)
  return [...new Set(hierarchies)]
    .flatMap(below)
    .filter(path => !/\.(scope|service|slice|mount|socket|swap)$/.test(path) && !stays.has(path))
}

/**
 * The parent of nsinit's cgroups stays, as its state root does: who removed it could take it from another nsinit, which is just making its own.
 * It lies at the top of each hierarchy, or of what of it belongs to whoever runs the tests.
 */
function parentsOfNsinit(hierarchies) {
  const own = lines('/proc/self/cgroup').map(line => line.split(':').slice(2).join(':'))
  return new Set(hierarchies.flatMap(top => ['', ...own].map(path => join(top, path, 'nsinit'))))
}

function below(path) {
  const folders = ofProcess(() => readdirSync(path, { withFileTypes: true }), []).filter(entry => entry.isDirectory())
  return folders.flatMap(({ name }) => [`${path}/${name}`, ...below(`${path}/${name}`)])
}

/** A state root stays, as /run/runc does; what is in it does not. */
const stateRoots = ['libcontainer', 'nsinit', 'lcrun'].map(name => `/run/${name}`)

const inFolder = path => () => list(path).map(name => `${path}/${name}`)
const ipc = kind => () =>
  lines(`/proc/sysvipc/${kind}`)
    .slice(1)
    .map(line => line.trim().split(/\s+/).slice(0, 2).join(' '))

const kinds = {
  mount: mounts,
  cgroup: cgroups,
  'network link': () => list('/sys/class/net'),
  'named network namespace': inFolder(NETNS),
  'state directory': () => stateRoots.flatMap(path => inFolder(path)()),
  'entry of /run': () => inFolder('/run')().filter(path => path !== NETNS && !stateRoots.includes(path)),
  'shared memory': inFolder('/dev/shm'),
  'message queue': inFolder('/dev/mqueue'),
  'System V shared memory': ipc('shm'),
  'System V semaphores': ipc('sem'),
  'System V message queue': ipc('msg'),
  'block device': () => list('/sys/block'),
}

function snapshot() {
  const running = processes()
  return {
    processes: running.map(({ pid, start }) => `${pid} ${start}`),
    namespaces: [...new Set(running.flatMap(({ pid }) => namespacesOf(pid)))],
    ...Object.fromEntries(Object.entries(kinds).map(([kind, find]) => [kind, find()])),
  }
}

/** Who has ended and waits for process 1 to say so, which may take its time, has nothing any more. */
const hasEnded = ({ state, parent }) => state === 'Z' && parent === 1

function leakedProcesses(before) {
  const known = new Set(before.processes)
  const knownNamespaces = new Set(before.namespaces)
  const mark = `LIBCONTAINER_TEST_RUN=${process.env.LIBCONTAINER_TEST_RUN}`
  const running = processes()
  const ours = new Set(ancestors(running))
  const belongs = ({ pid, parent }) =>
    parent === 1 ||
    namespacesOf(pid).some(link => !knownNamespaces.has(link)) ||
    ofProcess(() => readFileSync(`/proc/${pid}/environ`, 'latin1'), '')
      .split('\0')
      .includes(mark)
  const isNew = one => !known.has(`${one.pid} ${one.start}`) && !ours.has(one.pid) && one.parent !== 2
  return running
    .filter(one => isNew(one) && !hasEnded(one) && belongs(one))
    .map(({ pid, start, name, state, parent }) => [
      `process ${pid} ${start}`,
      `process ${pid} (${name}), ${state}, child of ${parent}: ${commandLine(pid)}`,
    ])
}

const commandLine = pid =>
  ofProcess(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'), '')
    .split('\0')
    .join(' ')
    .trim()

function ancestors(running) {
  const parents = new Map(running.map(({ pid, parent }) => [pid, parent]))
  const chain = []
  for (let pid = process.pid; pid !== undefined && pid !== 0; pid = parents.get(pid)) chain.push(pid)
  return chain
}

/** What there is to say of each leak, by what stays the same of it. */
function leaks(before, directories) {
  const found = leakedProcesses(before)
  const add = (...texts) => found.push(...texts.map(text => [text, text]))
  for (const [kind, find] of Object.entries(kinds)) {
    const known = new Set(before[kind])
    for (const one of find()) if (!known.has(one)) add(`${kind} ${one}`)
  }
  for (const path of directories.flatMap(path => inFolder(path)())) add(`temporary file ${path}`)
  return new Map(found)
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { to: { type: 'string' }, patience: { type: 'string' } },
})
const [act, file, ...directories] = positionals
if (act === 'snapshot' && file) {
  writeFileSync(file, JSON.stringify(snapshot()))
} else if (act === 'compare' && file) {
  const before = JSON.parse(readFileSync(file, 'utf8'))
  let found = leaks(before, directories)
  // What comes now is not of the run, which has ended.
  for (const end = Date.now() + Number(values.patience ?? PATIENCE); found.size > 0 && Date.now() < end; ) {
    await sleep(100)
    const now = leaks(before, directories)
    found = new Map([...now].filter(([leak]) => found.has(leak)))
  }
  const texts = [...found.values()]
  for (const text of texts) console.error(`left behind: ${text}`)
  console.log(texts.length === 0 ? 'nothing was left behind' : `${texts.length} things were left behind`)
  if (values.to) writeFileSync(values.to, JSON.stringify(report(texts)))
  process.exitCode = texts.length === 0 ? 0 : 1
} else {
  console.error('usage: leaks.mjs snapshot FILE | leaks.mjs compare FILE [--to REPORT] [--patience MS] [DIRECTORY…]')
  process.exitCode = 2
}

/** One test that passed, or failed for all that it names. */
function report(texts) {
  const failures = texts.length === 0 ? [] : [{ name: 'leaks', error: texts.slice(0, TOLD).join('\n') }]
  return { passed: 1 - failures.length, failed: failures.length, skipped: 0, failures }
}
