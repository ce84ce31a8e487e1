import { execFileSync, type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { mkdirSync, rmdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { requires, temporaryDirectory } from './support/index.js'

const top = fileURLToPath(new URL('../', import.meta.url))

function run(script: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): SpawnSyncReturns<string> {
  const command = script.endsWith('.mjs') ? [process.execPath, join(top, script)] : [join(top, script)]
  return spawnSync(command[0]!, [...command.slice(1), ...args], {
    encoding: 'utf8',
    input: '',
    env: { ...process.env, ...env },
  })
}

/** A directory with links to these programs, to be all of PATH. */
function linkPrograms(path: string, programs: readonly string[]): void {
  mkdirSync(path)
  for (const name of programs) {
    symlinkSync(execFileSync('/bin/sh', ['-c', 'command -v "$0"', name], { encoding: 'utf8' }).trim(), join(path, name))
  }
}

const tools = ['bash', 'dirname', 'env', 'grep', 'id', 'node', 'cat']

test('set-up says nothing where everything is there', requires('program:gcc', 'program:musl-gcc'), () => {
  expect(run('scripts/setup')).toMatchObject({ status: 0, stdout: '', stderr: '' })
})

test('set-up names what is missing, and stops, where this is not Debian', requires('program:gcc'), () => {
  using dir = temporaryDirectory('setup-')
  linkPrograms(join(dir.path, 'bin'), [...tools, 'gcc', 'make', 'busybox'])
  const { status, stderr } = run('scripts/setup', [], { PATH: join(dir.path, 'bin') })
  expect(status).not.toBe(0)
  expect(stderr).toContain('missing, by the names of Debian: g++ python3 musl-tools\n')
  expect(stderr).toContain('not Debian')
})

test('set-up names the command for root where an ordinary user runs it', requires('root', 'program:gcc'), () => {
  using dir = temporaryDirectory('setup-')
  linkPrograms(
    join(dir.path, 'bin'),
    [...tools, 'gcc', 'make', 'busybox'].filter(name => name !== 'id'),
  )
  for (const [name, says] of [
    ['apt-get', 'exit 99'],
    ['id', 'echo 1000'],
  ]) {
    writeFileSync(join(dir.path, 'bin', name!), `#!/bin/sh\n${says}\n`, { mode: 0o755 })
  }
  const { status, stderr } = run('scripts/setup', [], { PATH: join(dir.path, 'bin') })
  expect(status).toBe(1)
  expect(stderr).toContain('sudo apt-get install -y --no-install-recommends g++ python3 musl-tools\n')
})

test('the leak check names a process, a cgroup and a file that were left', requires('root', 'cgroup2'), () => {
  using dir = temporaryDirectory('leaks-')
  const before = join(dir.path, 'before.json')
  const files = join(dir.path, 'files')
  mkdirSync(files)
  const mount = /^\S+ (\S+) cgroup2 /m.exec(execFileSync('cat', ['/proc/self/mounts'], { encoding: 'utf8' }))![1]!
  const cgroup = `${mount}/libcontainer-leaks-${process.pid}`
  expect(run('scripts/leaks.mjs', ['snapshot', before]).status).toBe(0)

  const pid = Number(execFileSync('sh', ['-c', 'setsid sleep 1000 > /dev/null 2>&1 & echo $!'], { encoding: 'utf8' }))
  // That of nsinit at the top may stay, one below another may not.
  mkdirSync(`${cgroup}/nsinit`, { recursive: true })
  writeFileSync(join(files, 'left'), '')
  try {
    const report = join(dir.path, 'report.json')
    const { status, stderr } = run('scripts/leaks.mjs', ['compare', before, '--to', report, '--patience', '500', files])
    expect(status).toBe(1)
    const totals = run('scripts/totals.mjs', [report])
    expect(totals.stdout).toMatch(new RegExp(`^failed: leaks(\n    .*)*\n    cgroup ${cgroup}\n`))
    expect(totals.stdout).toMatch(/\n0 passed, 1 failed, 0 skipped\n$/)
    expect(stderr).toMatch(new RegExp(`left behind: process ${pid} \\(sleep\\).*: sleep 1000`))
    expect(stderr).toContain(`left behind: cgroup ${cgroup}\n`)
    expect(stderr).toContain(`left behind: cgroup ${cgroup}/nsinit\n`)
    expect(stderr).toContain(`left behind: temporary file ${files}/left\n`)
  } finally {
    process.kill(pid, 'SIGKILL')
    for (const path of [`${cgroup}/nsinit`, cgroup]) rmdirSync(path)
    rmSync(join(files, 'left'))
  }
  const { stderr } = run('scripts/leaks.mjs', ['compare', before, '--patience', '500', files])
  expect(stderr).not.toMatch(new RegExp(`process ${pid} |${cgroup}|${files}`))
})

test('what failed is counted and named, also what no test answers for', () => {
  using dir = temporaryDirectory('totals-')
  const file = (name: string, text: string) => writeFileSync(join(dir.path, name), text)
  const from = "import { expect, test } from 'vitest'\n"
  file(
    'wrong.test.mjs',
    `${from}test('is right', () => {})\ntest('is wrong', () => expect(1).toBe(2))\ntest.skip('is not', () => {})`,
  )
  file('broken.test.mjs', 'throw new Error("does not load")')
  file('stray.test.mjs', `${from}test('ends', () => { Promise.reject(new Error('nobody waits for it')) })`)
  file('dies.test.mjs', `${from}test('dies', () => new Promise(() => process.kill(process.pid, 'SIGKILL')))`)
  file(
    'unsteady.test.mjs',
    `${from}let tries = 0\ntest('is right at last', { retry: 1 }, () => expect(++tries).toBe(2))`,
  )
  symlinkSync(join(top, 'node_modules'), join(dir.path, 'node_modules'))
  const report = join(dir.path, 'report.json')
  const reporter = `--reporter=${join(top, 'scripts/reporter.mjs')}`
  const options = ['run', '--root', dir.path, reporter]
  const { status } = run('node_modules/vitest/vitest.mjs', options, { TEST_REPORT: report })
  expect(status).toBe(1)

  const to = join(dir.path, 'to.json')
  const { stdout } = run('scripts/totals.mjs', ['--to', to, report, 'lint=passed', 'types=failed'])
  expect(stdout).toMatch(/passed at the second attempt: unsteady.test.mjs > is right at last\n {4}expected 1 to be 2/)
  expect(stdout).toMatch(/failed: wrong.test.mjs > is wrong\n {4}expected 1 to be 2/)
  expect(stdout).toMatch(/failed: broken.test.mjs > file\n {4}does not load/)
  expect(stdout).toMatch(/failed: outside of a test.*\n {4}nobody waits for it/)
  expect(stdout).toMatch(/failed: outside of a test.*(\n {4}.*)*\n {4}cause: Worker exited unexpectedly/)
  expect(stdout).toMatch(/failed: dies.test.mjs > file\n {4}has no result/)
  expect(stdout).toMatch(/failed: dies.test.mjs > dies\n {4}has no result/)
  expect(stdout).toMatch(/failed: types\n4 passed, 7 failed, 1 skipped\n$/)
  expect(run('scripts/totals.mjs', [to, to]).stdout).toMatch(/\n8 passed, 14 failed, 2 skipped\n$/)
  const absent = run('scripts/totals.mjs', [join(dir.path, 'absent.json')])
  expect(absent.stdout).toMatch(/absent.json\n {4}ENOENT.*\n0 passed, 1 failed, 0 skipped\n$/)
})
