// What takes part: looked for, or built here below .cache, and never installed on the machine.
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { quietly, top } from '../scripts/quietly.mjs'

export const cache = join(top, '.cache/bench')

/** Where a program is, or `undefined`. */
export function which(name) {
  for (const directory of `${process.env.PATH}${delimiter}/usr/sbin${delimiter}/usr/local/go/bin`.split(delimiter)) {
    try {
      accessSync(join(directory, name), constants.X_OK)
      return join(directory, name)
    } catch {}
  }
  return undefined
}

/** The first line of what `program --version` prints. */
export const versionOf = (program, ...args) =>
  execFileSync(program, args.length > 0 ? args : ['--version'], { encoding: 'utf8' }).split('\n', 1)[0]

/** Builds a program once for its sources: `command` makes `output`. */
async function built(what, output, sources, command, options) {
  const hash = createHash('sha256').update(command.join('\0'))
  for (const source of sources) hash.update(readFileSync(source))
  const key = hash.digest('hex')
  if (existsSync(output) && existsSync(`${output}.key`) && readFileSync(`${output}.key`, 'utf8') === key) return output
  console.error(`bench: building ${what}`)
  mkdirSync(cache, { recursive: true })
  await quietly(what, command, options)
  writeFileSync(`${output}.key`, key)
  return output
}

/** The small process from which commands are timed. */
export async function buildTimed() {
  const [source, output] = [join(top, 'bench/timed.c'), join(cache, 'timed')]
  return await built('the timer', output, [source], ['gcc', '-O2', '-Wall', '-Wextra', '-o', output, source])
}

/** What makes a container's network by system calls alone. */
export async function buildKernel() {
  const [source, output] = [join(top, 'bench/network/kernel.c'), join(cache, 'kernel')]
  return await built(
    'the loop of system calls',
    output,
    [source],
    ['gcc', '-O2', '-Wall', '-Wextra', '-o', output, source],
  )
}

/** libseccomp behind a loop of ours; `undefined` where it cannot be built. */
export async function buildLibseccomp() {
  if (which('gcc') === undefined || !existsSync('/usr/include/seccomp.h')) return undefined
  const [source, output] = [join(top, 'bench/seccomp/libseccomp.c'), join(cache, 'libseccomp')]
  const command = ['gcc', '-O2', '-Wall', '-Wextra', '-o', output, source, '-lseccomp']
  return await built('the program around libseccomp', output, [source], command)
}

/** A command of Python that finds pyroute2, which pip puts beside the other programs the first time; `undefined` where there is no pip. */
export async function installPyroute2() {
  const [version, folder] = ['0.9.7', join(cache, 'pyroute2')]
  const python = which('python3')
  if (python === undefined || spawnSync(python, ['-m', 'pip', '--version']).status !== 0) return undefined
  const command = [python, '-m', 'pip', 'install', '--quiet', '--no-deps', '--target', folder, `pyroute2==${version}`]
  await built('pyroute2 (pip fetches it)', folder, [], command)
  return { version, command: ['env', `PYTHONPATH=${folder}`, python] }
}

/** Go's libcontainer, its library of cgroups, moby's of mountinfo, or vishvananda's netlink, behind a loop of ours. Their modules come from the module proxy the first time. */
export async function buildGo(go, program = 'bench') {
  const folder = join(top, 'test/go')
  const output = join(cache, program === 'bench' ? 'libcontainer-go' : `${program}-go`)
  return await built(
    'the Go program (the first time its modules are fetched from the module proxy, and it takes a minute)',
    output,
    [`${program}/main.go`, 'go.mod', 'go.sum'].map(name => join(folder, name)),
    [go, 'build', '-trimpath', '-tags', 'seccomp', '-o', output, `./${program}`],
    { cwd: folder, env: process.env },
  )
}

/** The version of Go's libcontainer, or of another module, that go.mod names. */
export const goLibrary = (name = 'runc') =>
  new RegExp(`/${name} (v\\S+)`).exec(readFileSync(join(top, 'test/go/go.mod'), 'utf8'))?.[1]
