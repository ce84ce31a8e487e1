import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { copyOfBusyboxRootfs, shellCommand } from '../../../test/support/index.js'
import { Bundle, either, hosts, specOf } from './hosts.js'

const quiet = { stdio: ['ignore', 'ignore', 'ignore'] } as const
const points = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'] as const

const script = (text: string, more: object = {}): object => shellCommand(text, { env: ['PATH=/usr/bin:/bin'], ...more })
const sleeping = ['/bin/sleep', '1000']

describe.each(hosts)('$name', host => {
  test(
    'HK-01 HK-02 HK-03 HK-04 HK-05 HK-06 each hook of a config.json runs in the command that it belongs to',
    host.needs,
    () => {
      using rootfs = copyOfBusyboxRootfs()
      using bundle = new Bundle(host)
      const log = bundle.file('log')
      mkdirSync(join(rootfs.path, 'log'))
      const state = `sed 's/.*"status":"\\([a-z]*\\)".*/\\1/'`
      const hooks = Object.fromEntries(
        points.map(point => [
          point,
          [script(`echo ${point} $(${state}) >> ${point === 'startContainer' ? '/log/log' : log}`, { timeout: 10 })],
        ]),
      )
      bundle.write(specOf(sleeping, { root: { path: rootfs.path }, hooks, annotations: { a: 'b' } }))
      const lines = (file = log): string[] => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [])
      expect(bundle.run(['create', bundle.id], { stdio: [...quiet.stdio] }).status).toBe(0)
      expect(lines()).toEqual(['prestart creating', 'createRuntime creating', 'createContainer creating'])
      expect(lines(join(rootfs.path, 'log/log'))).toEqual([])
      expect(bundle.run(['start', bundle.id])).toEqual({ status: 0, stdout: '', stderr: '' })
      expect(lines(join(rootfs.path, 'log/log'))).toEqual(['startContainer created'])
      expect(lines().slice(3)).toEqual(['poststart running'])
      expect(bundle.run(['delete', '--force', bundle.id])).toEqual({ status: 0, stdout: '', stderr: '' })
      expect(lines().slice(4)).toEqual(['poststop stopped'])
    },
  )
})

describe.each(either)('$name', host => {
  test.each(['prestart', 'createRuntime', 'createContainer'])(
    'HK-09 LR-13 create fails by a hook of %s: the hook is named, nothing is left, and poststop has run',
    host.needs,
    point => {
      using bundle = new Bundle(host)
      const log = bundle.file('log')
      const hooks = { [point]: [script('exit 0'), script('echo no luck; exit 3')], poststop: [script(`echo > ${log}`)] }
      bundle.write(specOf(sleeping, { hooks }))
      const { status, stderr } = bundle.run(['create', bundle.id])
      expect(status).toBe(1)
      expect(stderr).toContain(`hook ${point}[1] failed: /bin/sh ended with exit code 3: no luck`)
      expect(bundle.left()).toEqual([])
      expect(existsSync(log)).toBe(true)
    },
  )

  test('HK-04 HK-08 start fails by a hook that takes too long: the container has stopped', host.needs, async () => {
    using bundle = new Bundle(host)
    bundle.write(specOf(sleeping, { hooks: { startContainer: [script('exec sleep 100', { timeout: 1 })] } }))
    bundle.run(['create', bundle.id], { stdio: [...quiet.stdio] })
    const { status, stderr } = bundle.run(['start', bundle.id])
    expect(status).toBe(1)
    expect(stderr).toContain('hook startContainer[0] failed: /bin/sh took longer than 1000 ms and was killed')
    await bundle.stopped()
    expect(bundle.run(['delete', bundle.id])).toMatchObject({ status: 0 })
  })

  test('HK-05 CO-26 a poststart that fails ends the container', host.needs, async () => {
    using bundle = new Bundle(host)
    bundle.write(specOf(sleeping, { hooks: { poststart: [script('echo late; exit 4')] } }))
    bundle.run(['create', bundle.id], { stdio: [...quiet.stdio] })
    const { status, stderr } = bundle.run(['start', bundle.id])
    expect(status).toBe(1)
    expect(stderr).toContain('hook poststart[0] failed: /bin/sh ended with exit code 4: late')
    expect(bundle.state()).toMatchObject({ status: 'stopped' })
  })

  test(
    'HK-06 a poststop that fails is a warning: the others run, the container is gone, the status 0',
    host.needs,
    () => {
      using bundle = new Bundle(host)
      const log = bundle.file('log')
      const hooks = { poststop: [script('echo broken; exit 5'), script(`echo ran >> ${log}`)] }
      bundle.write(specOf(sleeping, { hooks }))
      bundle.run(['create', bundle.id], { stdio: [...quiet.stdio] })
      const { status, stderr } = bundle.run(['delete', bundle.id])
      expect(status).toBe(0)
      expect(stderr).toContain('hook poststop[0] failed: /bin/sh ended with exit code 5: broken')
      expect(bundle.left()).toEqual([])
      expect(readFileSync(log, 'utf8')).toBe('ran\n')
      bundle.write(specOf(['/bin/sh', '-c', 'exit 7'], { hooks }))
      expect(bundle.run(['run', bundle.id])).toMatchObject({
        status: 7,
        stderr: expect.stringContaining('poststop[0]'),
      })
      expect(readFileSync(log, 'utf8')).toBe('ran\nran\n')
    },
  )

  test('HK-11 annotations send what hooks write to files', host.needs, () => {
    using bundle = new Bundle(host)
    const [out, err] = [bundle.file('out'), bundle.file('err')]
    const hooks = Object.fromEntries(points.map(point => [point, [script(`echo ${point}; echo e >&2`)]]))
    const annotations = { 'run.oci.hooks.stdout': out, 'run.oci.hooks.stderr': err }
    bundle.write(specOf(['/bin/true'], { hooks, annotations }))
    expect(bundle.run(['run', bundle.id])).toMatchObject({ status: 0 })
    expect(readFileSync(out, 'utf8')).toBe(`${points.join('\n')}\n`)
    expect(readFileSync(err, 'utf8')).toBe('e\n'.repeat(6))
  })
})
