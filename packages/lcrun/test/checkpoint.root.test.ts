import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { ConsoleSocket } from '@libcontainer/console'
import { TerminalStream } from '@libcontainer/console/node'
import { describe, expect, test } from 'vitest'
import { copyOfBusyboxRootfs, requires, temporaryDirectory, together } from '../../../test/support/index.js'
import { Bundle, either, hosts, specOf, until } from './hosts.js'

/** Without a network of its own, which takes CRIU some seconds in an emulator. */
const namespaces = ['pid', 'ipc', 'uts', 'mount', 'cgroup'].map(type => ({ type }))
const bind = { destination: '/data', type: 'bind', source: 'data', options: ['rbind', 'rw'] }

/** Counts into a file until somebody says that it is enough, and says so itself. */
const COUNT =
  'i=0; while [ ! -e /data/end ]; do i=$((i+1)); echo $i > /data/count; sleep 0.05; done; echo "ended at $i"; exit 7'

function counting(terminal = false, script = COUNT): object {
  const spec = specOf(['/bin/sh', '-c', script], { process: { terminal }, linux: { namespaces } })
  return { ...spec, root: { path: 'rootfs' }, mounts: [...spec.mounts, bind] }
}

describe.each(either)('$name', host => {
  const needs = { ...together(host.needs, requires('root', 'criu')), timeout: 120_000 }

  test(
    'OL-18 OL-19 CR-10 a chain of memory dumps, a checkpoint, and a restore in the foreground with its streams and status',
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

      const restore = ['restore', '--image-path', '3', '--pid-file', bundle.file('pid'), 'anew']
      const out = openSync(bundle.file('out'), 'a')
      const running = bundle.start(restore, { stdio: ['ignore', out, out] })
      await until(
        'the counter goes on',
        () => count() > last + 2,
        () => readFileSync(bundle.file('out'), 'utf8'),
      )
      expect(bundle.state('anew')).toMatchObject({
        status: 'running',
        pid: Number(readFileSync(bundle.file('pid'), 'utf8')),
      })
      expect(bundle.run(['exec', 'anew', 'cat', '/data/count'])).toMatchObject({ status: 0, stderr: '' })
      writeFileSync(bundle.file('data/end'), '')
      expect(await running.ended()).toBe(7)
      closeSync(out)
      expect(readFileSync(bundle.file('out'), 'utf8')).toBe('')
      expect(bundle.left()).toEqual([])
    },
  )

  test(
    'XT-10 OL-19 CN-07 a program on a terminal goes on at another console socket; what runs goes on after a checkpoint that leaves it',
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
      expect(bundle.run(['checkpoint', '--leave-running', ...images, bundle.id])).toMatchObject({
        status: 0,
        stderr: '',
      })
      const seen = first.lines().length
      await until('it goes on', () => first.lines().length > seen)
      expect(bundle.run(['delete', '--force', bundle.id])).toMatchObject({ status: 0 })
      const second = await shown(['restore', '--detach', ...images])
      await until('it goes on', () => second.lines().length > 2)
      expect(second.lines()[0]).toBeGreaterThan(1)
      // What the first one has shown by its end came before the image, or soon after it.
      expect(second.lines()[0]).toBeLessThanOrEqual(first.lines().at(-1)! + 1)
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
}, () => {
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
  const count = (name: string): number => Number(podman('exec', name, 'cat', '/tmp/count'))
  const goesOn = (name: string): number => {
    const seen = count(name)
    expect(
      podman('exec', name, 'sh', '-c', `until [ "$(cat /tmp/count)" -gt ${seen} ]; do sleep 0.1; done; cat /tmp/count`),
    ).toMatch(/^\d+$/)
    return seen
  }
  const archive = `${place.path}/root.tar`
  spawnSync('tar', ['-C', rootfs.path, '-cf', archive, '.'])
  podman('import', '--quiet', archive, image)
  try {
    const script = 'i=0; while :; do i=$((i+1)); echo $i > /tmp/next; mv /tmp/next /tmp/count; sleep 0.1; done'
    podman('run', '--detach', '--name', first, '--network', 'none', image, 'sh', '-c', script)
    podman('exec', first, 'sh', '-c', 'until [ -e /tmp/count ]; do sleep 0.1; done')
    let seen = goesOn(first)
    podman('container', 'checkpoint', first)
    expect(podman('ps', '--quiet')).toBe('')
    podman('container', 'restore', first)
    expect(goesOn(first)).toBeGreaterThanOrEqual(seen)
    const exported = `${place.path}/exported.tar.gz`
    seen = count(first)
    podman('container', 'checkpoint', '--export', exported, first)
    podman('rm', first)
    podman('container', 'restore', '--import', exported, '--name', second)
    expect(goesOn(second)).toBeGreaterThanOrEqual(seen)
  } finally {
    spawnSync('podman', ['rm', '--force', first, second])
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
