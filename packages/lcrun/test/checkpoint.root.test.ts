import { spawn, spawnSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { ConsoleSocket } from '@libcontainer/console'
import { TerminalStream } from '@libcontainer/console/node'
import { afterEach, describe, expect, test } from 'vitest'
import {
  cgroupsNamed,
  copyOfBusyboxRootfs,
  requires,
  temporaryDirectory,
  together,
} from '../../../test/support/index.js'
import { closeSeats, onTerminal, Seat } from '../../../test/support/seat.js'
import { Bundle, either, hosts, specOf, until } from './hosts.js'

afterEach(closeSeats)

/** Without a network of its own, which takes CRIU some seconds in an emulator. */
const namespaces = ['pid', 'ipc', 'uts', 'mount', 'cgroup'].map(type => ({ type }))
const bind = { destination: '/data', type: 'bind', source: 'data', options: ['rbind', 'rw'] }

/** Counts into a file until somebody says that it is enough, and says so itself. */
const COUNT =
  'i=0; while [ ! -e /data/end ]; do i=$((i+1)); echo $i > /data/count; sleep 0.05; done; echo "ended at $i"; exit 7'

/** One line, where CRIU is too old for the flag. */
const WARNING = /^(?:lcrun: warning: noNewPrivileges: CRIU [\d.]+ does not bring it back[^\n]*\n)?$/

function counting(terminal = false, script = COUNT): object {
  const process = { terminal, noNewPrivileges: false }
  const spec = specOf(['/bin/sh', '-c', script], { process, linux: { namespaces } })
  return { ...spec, root: { path: 'rootfs' }, mounts: [...spec.mounts, bind] }
}

/** Those that have a word. */
const processesOf = (word: string): string[] =>
  readdirSync('/proc').filter(pid => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(word)
    } catch {
      return false
    }
  })

describe.each(either)('$name', host => {
  const needs = { ...together(host.needs, requires('root', 'criu')), timeout: 120_000 }

  test(
    'OL-18 OL-19 CR-10 CR-12 a chain of memory dumps, a checkpoint, a detached restore; lazily elsewhere, in the foreground with its streams and status',
    needs,
    async () => {
      using rootfs = copyOfBusyboxRootfs()
      using bundle = new Bundle(host)
      const spec = counting() as { root: object }
      mkdirSync(bundle.file('data'))
      bundle.sleeping(bundle.id, { ...spec, root: { path: rootfs.path } })
      const count = (): number =>
        Number(existsSync(bundle.file('data/count')) ? readFileSync(bundle.file('data/count')) : 0)
      const goesOn = async (): Promise<void> => {
        const seen = count()
        await until('the counter goes on', () => count() > seen + 2)
      }
      await goesOn()

      const ran = (...args: string[]) => bundle.run(['checkpoint', ...args, bundle.id])
      for (const name of ['1', '2', '3']) mkdirSync(bundle.file(name), { mode: 0o700 })
      const quiet = { status: 0, stdout: '', stderr: '' }
      expect(ran('--image-path', '1', '--pre-dump')).toEqual(quiet)
      expect(ran('--image-path', '2', '--pre-dump', '--parent-path', '../1')).toEqual(quiet)
      const told = ran('--image-path', '3', '--parent-path', '../2', '--work-path', bundle.file('work'), '--json')
      expect(JSON.parse(told.stdout)).toMatchObject({
        imagesDir: bundle.file('3'),
        imageSize: expect.any(Number),
        stats: { pagesSkippedParent: expect.any(Number) },
        phases: expect.arrayContaining([{ name: 'dumping processes', ms: expect.any(Number) }]),
      })
      expect(existsSync(bundle.file('work/dump.log'))).toBe(true)
      expect(bundle.left()).toEqual([])
      const last = count()

      const restore = ['restore', '--image-path', '3', '--detach', '--pid-file', bundle.file('pid'), 'first']
      expect(bundle.detached(restore)).toEqual(quiet)
      await until('the counter goes on', () => count() > last + 2)
      expect(bundle.state('first')).toMatchObject({
        status: 'running',
        pid: Number(readFileSync(bundle.file('pid'), 'utf8')),
      })

      // Its pages follow when it runs elsewhere: as people do it, with the program of CRIU's that asks for them.
      const port = '27126'
      const lazily = ['--image-path', 'lazy', '--lazy-pages', '--status-fd', '3', '--page-server', `127.0.0.1:${port}`]
      const status = openSync(bundle.file('status'), 'w')
      const saving = bundle.start(['checkpoint', ...lazily, 'first'], { stdio: ['ignore', 'pipe', 'pipe', status] })
      closeSync(status)
      await until(
        'pages may be asked for',
        () => readFileSync(bundle.file('status'), 'latin1') === '\0',
        () => saving.stderr,
      )
      const place = ['--page-server', '--address', '127.0.0.1', '--port', port, '-D', 'lazy', '-W', 'lazy']
      const pages = spawn('criu', ['lazy-pages', ...place, '-o', 'pages.log'], { cwd: bundle.path, stdio: 'ignore' })
      await until('it listens', () => existsSync(bundle.file('lazy/lazy-pages.socket')))

      const out = openSync(bundle.file('out'), 'a')
      const running = bundle.start(['restore', '--image-path', 'lazy', '--lazy-pages', 'anew'], {
        stdio: ['ignore', out, out],
      })
      expect([await saving.ended(), saving.stderr]).toEqual([0, ''])
      const seen = count()
      await until(
        'the counter goes on',
        () => count() > seen + 2,
        () => readFileSync(bundle.file('out'), 'utf8'),
      )
      await until('all pages are there', () => pages.exitCode !== null)
      expect(pages.exitCode).toBe(0)
      expect(bundle.left()).toEqual(['anew'])
      expect(bundle.run(['exec', 'anew', 'cat', '/data/count'])).toMatchObject({ status: 0, stderr: '' })
      writeFileSync(bundle.file('data/end'), '')
      expect(await running.ended()).toBe(7)
      closeSync(out)
      expect(readFileSync(bundle.file('out'), 'utf8')).toBe('')
      expect(bundle.left()).toEqual([])
    },
  )

  test(
    'XT-10 OL-19 CN-07 a program on a terminal goes on at another console socket, and in the foreground of ours; a checkpoint tells people of its phases',
    needs,
    async () => {
      using rootfs = copyOfBusyboxRootfs()
      using bundle = new Bundle(host)
      const script = 'i=0; while :; do i=$((i+1)); echo "line $i"; sleep 0.1; done'
      bundle.write({ ...counting(true, script), root: { path: rootfs.path } })
      mkdirSync(bundle.file('data'))
      const socket = bundle.file('console')
      const shown = async (command: readonly string[]): Promise<{ lines: () => number[] }> => {
        await using listening = await ConsoleSocket.listen(socket)
        const running = bundle.start([...command, '--console-socket', socket, bundle.id], {
          stdio: ['ignore', 'ignore', 'pipe'],
        })
        const [{ master }, status] = await Promise.all([listening.receive(), running.ended()])
        expect({ status, stderr: running.stderr }).toEqual({ status: 0, stderr: '' })
        let text = ''
        new TerminalStream(master).on('data', chunk => {
          text += chunk
        })
        return { lines: () => Array.from(text.matchAll(/line (\d+)\r?\n/g), ([, number]) => Number(number)) }
      }
      const first = await shown(['run', '--detach'])
      await until('it writes', () => first.lines().length > 2)
      const images = ['--image-path', bundle.file('images')]
      // People are told of it, each phase with its time.
      const people = await Seat.open(fd =>
        bundle.start(['checkpoint', '--leave-running', ...images, bundle.id], {
          before: onTerminal,
          stdio: [fd, fd, fd],
        }),
      )
      expect(await people.running.ended()).toBe(0)
      await people.shows(/images: \d+\.\d MiB, stood still for \d+ ms\r\n/)
      const lines = people.shown.split('\r\n')
      for (const phase of ['starting', 'freezing processes', 'dumping processes'])
        expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^${phase} +\\d+ ms$`)))
      const seen = first.lines().length
      await until('it goes on', () => first.lines().length > seen)
      expect(bundle.run(['delete', '--force', bundle.id])).toMatchObject({ status: 0 })
      const second = await shown(['restore', '--detach', ...images])
      await until('it goes on', () => second.lines().length > 2)
      expect(second.lines()[0]).toBeGreaterThan(1)
      // What the first one has shown by its end came before the image, or soon after it.
      expect(second.lines()[0]).toBeLessThanOrEqual(first.lines().at(-1)! + 1)
      expect(bundle.run(['delete', '--force', bundle.id])).toMatchObject({ status: 0 })

      // In the foreground it is relayed to ours.
      const third = await Seat.open(fd =>
        bundle.start(['restore', ...images, bundle.id], { before: onTerminal, stdio: [fd, fd, fd] }),
      )
      await third.shows(new RegExp(`line ${second.lines()[0]! + 3}\r+\n`))
      expect(bundle.run(['kill', bundle.id, 'KILL'])).toMatchObject({ status: 0 })
      expect(await third.running.ended()).toBe(128 + 9)
      expect(bundle.left()).toEqual([])
    },
  )

  test(
    'CR-18 OL-18 OL-19 a restore that is killed leaves nothing that delete does not take away, and an image that is good; what is not kept is told',
    needs,
    async () => {
      using rootfs = copyOfBusyboxRootfs()
      using bundle = new Bundle(host)
      const spec = counting() as { process: object }
      const [waits, begun] = [bundle.file('waits'), bundle.file('begun')]
      const script = `touch ${begun}; while [ -e ${waits} ]; do sleep 0.1; done`
      const hooks = { createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', script] }] }
      const process = { ...spec.process, noNewPrivileges: true }
      const data = bundle.file('data')
      mkdirSync(data)
      bundle.sleeping(bundle.id, { ...spec, process, hooks, root: { path: rootfs.path } })
      await until('it counts', () => existsSync(`${data}/count`))
      const images = ['--image-path', bundle.file('images')]
      const saved = bundle.run(['checkpoint', ...images, bundle.id])
      expect(saved).toEqual({ status: 0, stdout: '', stderr: expect.stringMatching(WARNING) })

      writeFileSync(waits, '')
      rmSync(begun)
      const restore = ['restore', '--detach', ...images, bundle.id]
      const killed = bundle.start(restore, { stdio: 'ignore' })
      await until('its hook runs', () => existsSync(begun))
      await killed.killed()
      rmSync(waits)
      expect(bundle.run(['delete', '--force', bundle.id])).toMatchObject({ status: 0, stderr: '' })
      expect(bundle.left()).toEqual([])
      expect(cgroupsNamed(new RegExp(bundle.id))).toEqual([])
      const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
      expect(mounts.filter(line => line.includes('libcontainer-criu-') || line.includes('.criu.'))).toEqual([])
      expect(readdirSync('/run').filter(name => name.startsWith('libcontainer-criu-'))).toEqual([])
      // Its CRIU ends by itself, and what it has made.
      await until('no process is left', () => processesOf(COUNT).length === 0)

      const last = Number(readFileSync(`${data}/count`))
      expect(bundle.detached(restore)).toEqual({ status: 0, stdout: '', stderr: expect.stringMatching(WARNING) })
      await until('it goes on', () => Number(readFileSync(`${data}/count`)) > last)
    },
  )

  test('the commands of docs/checkpoint.md move a container from one root to another', needs, () => {
    using rootfs = copyOfBusyboxRootfs()
    using bundle = new Bundle(host)
    const page = readFileSync(new URL('../../../docs/checkpoint.md', import.meta.url), 'utf8')
    const [, commands = ''] = /^```sh\n(.*?)^```$/ms.exec(page)!
    mkdirSync(bundle.file('bin'))
    mkdirSync(bundle.file('here'))
    writeFileSync(bundle.file('bin/lcrun'), `#!/bin/sh\nexec ${host.command.join(' ')} "$@"\n`, { mode: 0o755 })
    renameSync(rootfs.path, bundle.file('here/rootfs'))
    const env = { PATH: `${bundle.file('bin')}:${process.env.PATH}` }
    const { status, stdout, stderr } = spawnSync('bash', ['-euxc', commands], {
      cwd: bundle.path,
      env,
      encoding: 'utf8',
    })
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
    expect(Number(stdout)).toBeGreaterThan(1)
  })
})

/* What engines run is the executable. */
const engine = hosts.at(-1)!

test('CO-21 CO-22 CR-21 podman saves a container, brings it back, exports it, and imports it under another name', {
  ...together(engine.needs, requires('root', 'criu', 'program:podman')),
  timeout: 240_000,
}, async () => {
  const podman = (...args: string[]): string => {
    const { status, stdout, stderr } = spawnSync('podman', ['--runtime', engine.command[0]!, ...args], {
      encoding: 'utf8',
    })
    expect({ args, status, stderr: status === 0 ? '' : stderr }).toEqual({ args, status: 0, stderr: '' })
    return stdout.trim()
  }
  using place = temporaryDirectory('podman')
  using rootfs = copyOfBusyboxRootfs()
  const [image, first, second] = ['localhost/counter', 'counts', 'counts-on'] as const
  const file = `${place.path}/data/count`
  mkdirSync(`${place.path}/data`)
  const count = (): number => (existsSync(file) ? Number(readFileSync(file)) : 0)
  const goesOn = async (since: number): Promise<void> =>
    void (await until('the counter goes on', () => count() > since + 2))
  const archive = `${place.path}/root.tar`
  spawnSync('tar', ['-C', rootfs.path, '-cf', archive, '.'])
  podman('import', '--quiet', archive, image)
  try {
    // In its memory, and told to the host: each `podman exec` would take seconds in an emulator.
    const script = 'i=0; while :; do i=$((i+1)); echo $i > /data/next; mv /data/next /data/count; sleep 0.1; done'
    const volume = `${place.path}/data:/data`
    podman('run', '--detach', '--name', first, '--network', 'none', '--volume', volume, image, 'sh', '-c', script)
    await goesOn(0)
    podman('container', 'checkpoint', first)
    let last = count()
    podman('container', 'restore', first)
    await goesOn(last)
    const exported = `${place.path}/exported.tar.gz`
    podman('container', 'checkpoint', '--export', exported, first)
    last = count()
    podman('container', 'restore', '--import', exported, '--name', second)
    await goesOn(last)
    expect(Number(podman('exec', second, 'cat', '/data/count'))).toBeGreaterThan(last)
  } finally {
    // With its containers.
    podman('rmi', '--force', image)
  }
})

test('CR-07 CR-09 an image that runc has made goes on by lcrun, from the same bundle', {
  ...together(engine.needs, requires('root', 'criu', 'program:runc')),
  timeout: 120_000,
}, async () => {
  using rootfs = copyOfBusyboxRootfs()
  using bundle = new Bundle(engine)
  mkdirSync(bundle.file('data'))
  // CRIU follows no link to a source: runc hands it the path as it stands.
  const mounts = (counting() as { mounts: object[] }).mounts.map(mount =>
    'source' in mount && mount.source === 'data' ? { ...mount, source: bundle.file('data') } : mount,
  )
  bundle.write({ ...counting(), root: { path: rootfs.path }, mounts })
  const count = (): number =>
    Number(existsSync(bundle.file('data/count')) ? readFileSync(bundle.file('data/count')) : 0)
  // A file of ours among the streams of its program it could not save.
  const runc = (...args: string[]): void => {
    const { status } = spawnSync('runc', [...args, bundle.id], { cwd: bundle.path, stdio: 'ignore' })
    expect({ args, status }).toEqual({ args, status: 0 })
  }
  try {
    runc('run', '--detach')
    await until('it counts', () => count() > 2)
    runc('checkpoint', '--image-path', bundle.file('images'), '--work-path', bundle.file('work'))
    const last = count()
    expect(bundle.run(['restore', '--detach', '--image-path', bundle.file('images'), bundle.id])).toMatchObject({
      status: 0,
      stderr: '',
    })
    await until('it goes on', () => count() > last + 2)
    expect(bundle.state(bundle.id)).toMatchObject({ status: 'running' })
  } finally {
    spawnSync('runc', ['delete', '--force', bundle.id])
  }
})
