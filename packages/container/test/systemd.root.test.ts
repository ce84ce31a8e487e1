import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Factory } from '@libcontainer/container'
import { expect, test } from 'vitest'
import { busyboxRootfs, requires, temporaryDirectory } from '../../../test/support/index.js'
import { finished, inside, sleeper } from './support.js'

const needs = { ...requires('root', 'rootfs', 'file:/run/systemd/system'), timeout: 60_000 }

const show = (unit: string, property: string): string =>
  spawnSync('systemctl', ['show', '-P', property, unit], { encoding: 'utf8' }).stdout.trim()

test('FA-05 CG-17 containers are units of systemd, from their birth to their end', needs, async () => {
  using directory = temporaryDirectory('systemd-')
  const factory = await Factory.open(directory.path, { cgroupDriver: 'systemd' })
  const id = `c${process.pid}`
  const unit = `lc-${id}.scope`
  try {
    const container = await factory.create(id, {
      rootfs: busyboxRootfs(),
      namespaces: ['mnt', 'pid', 'cgroup'],
      cgroups: { path: `system.slice:lc:${id}`, pids: { max: 5 } },
    })
    expect(show(unit, 'LoadState')).toBe('not-found')
    const init = await container.run(sleeper)
    expect(show(unit, 'ActiveState')).toBe('active')
    expect(show(unit, 'TasksMax')).toBe('5')
    expect(readFileSync(`/proc/${init.pid}/cgroup`, 'utf8')).toContain(`/system.slice/${unit}`)
    expect(await container.processes()).toEqual([init.pid])
    // The cgroup namespace begins at the unit.
    expect(await inside(container, 'cat /proc/self/cgroup')).toMatch(/^(?:\d+:[^:]*:\/\n?)+$/)

    // Whoever looks after it later need not know who has made its cgroup.
    const loaded = await (await Factory.open(directory.path)).load(id)
    await loaded.set({ cgroups: { pids: { max: 6 } } })
    expect(show(unit, 'TasksMax')).toBe('6')
    await loaded.pause()
    expect(await container.status()).toBe('paused')
    await loaded.resume()
    await loaded.destroy({ force: true })
    expect(show(unit, 'LoadState')).toBe('not-found')
  } finally {
    await factory.remove(id)
  }
})

test('FA-05 LR-09 what fails to start, or has no room, leaves no unit', needs, async () => {
  using directory = temporaryDirectory('systemd-')
  const factory = await Factory.open(directory.path, { cgroupDriver: 'systemd' })
  const id = `d${process.pid}`
  const unit = `libcontainer-${id}.scope`
  try {
    // One process may live in it, and does: nothing else takes its place.
    const container = await factory.create(id, { rootfs: busyboxRootfs(), cgroups: { pids: { max: 1 } } })
    const process = await container.run({ args: ['/bin/true'] })
    expect(await finished(process)).toMatchObject({ code: 0 })
    await container.destroy()
    const absent = await factory.create(id, { rootfs: busyboxRootfs() })
    await expect(absent.run({ args: ['/absent'] })).rejects.toMatchObject({ code: 'SystemError' })
    expect(show(unit, 'LoadState')).toBe('not-found')
    await absent.destroy()
  } finally {
    await factory.remove(id)
  }
})
