import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { Bundle, hosts, specOf } from './hosts.js'

const lack = requires('root', 'rootfs', 'file:/run/systemd/system')

const show = (unit: string, property: string): string =>
  spawnSync('systemctl', ['show', '-P', property, unit], { encoding: 'utf8' }).stdout.trim()

describe.each(hosts)('$name', host => {
  const needs = { ...host.needs, skip: host.needs.skip || lack.skip }

  test('OL-01 XT-01 CG-72 --systemd-cgroup: the unit that cgroupsPath names', needs, () => {
    using bundle = new Bundle(host)
    const { id } = bundle
    const unit = `lc-${id}.scope`
    const linux = { cgroupsPath: `system.slice:lc:${id}`, resources: { memory: { limit: 33_554_432 } } }
    bundle.write(specOf(['cat', '/proc/self/cgroup'], { linux }))
    expect(bundle.run(['--systemd-cgroup', 'run', id])).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(`/system.slice/${unit}`),
      stderr: '',
    })
    expect(show(unit, 'LoadState')).toBe('not-found')

    bundle.write(specOf(['sleep', '1000'], { linux }))
    expect(bundle.detached(['--cgroup-manager', 'systemd', 'run', '-d', id])).toMatchObject({ status: 0, stderr: '' })
    expect([show(unit, 'ActiveState'), show(unit, 'Delegate')]).toEqual(['active', 'yes'])
    // Engines need not say it again.
    expect(bundle.run(['update', '--pids-limit', '77', id])).toMatchObject({ status: 0, stderr: '' })
    expect(show(unit, 'TasksMax')).toBe('77')
    expect(bundle.run(['delete', '--force', id])).toMatchObject({ status: 0, stderr: '' })
    expect(show(unit, 'LoadState')).toBe('not-found')
  })

  test('OC-10 EV-160 annotations are properties of the unit, with this driver alone', needs, () => {
    using bundle = new Bundle(host)
    const { id } = bundle
    const linux = { cgroupsPath: `system.slice:lc:${id}` }
    const annotations = { 'org.systemd.property.TimeoutStopSec': '7', 'org.systemd.property.KillSignal': '10' }
    bundle.write(specOf(['sleep', '1000'], { linux, annotations }))
    expect(bundle.detached(['--systemd-cgroup', 'run', '-d', id])).toMatchObject({ status: 0, stderr: '' })
    expect([show(`lc-${id}.scope`, 'TimeoutStopUSec'), show(`lc-${id}.scope`, 'KillSignal')]).toEqual(['7s', '10'])
    expect(bundle.run(['delete', '--force', id])).toMatchObject({ status: 0, stderr: '' })
    const bad = { 'org.systemd.property.SuccessAction': "'poweroff-force'" }
    bundle.write(specOf(['true'], { linux, annotations: bad }))
    expect(bundle.run(['--systemd-cgroup', 'run', id])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('may not be asked for by an annotation'),
    })
    expect(show(`lc-${id}.scope`, 'LoadState')).toBe('not-found')
    bundle.write(specOf(['true'], { linux: {}, annotations: bad }))
    expect(bundle.run(['run', id])).toMatchObject({ status: 0 })
  })

  test('OC-05 EV-142 a path that names no unit is refused', needs, () => {
    using bundle = new Bundle(host, specOf(['true'], { linux: { cgroupsPath: '/a/path' } }))
    expect(bundle.run(['--systemd-cgroup', 'run', bundle.id])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('linux.cgroupsPath: must be slice:prefix:name'),
    })
  })
})
