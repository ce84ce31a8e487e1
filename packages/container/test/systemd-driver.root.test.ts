import { readFileSync } from 'node:fs'
import { SystemdDriver } from '@libcontainer/cgroups/systemd'
import { type CgroupDriver, Factory } from '@libcontainer/container'
import { expect, onTestFinished, test, vi } from 'vitest'
import { busyboxRootfs, requires, temporaryDirectory } from '../../../test/support/index.js'
import { FakeSystemd } from '../../cgroups/test/systemd/fake-systemd.js'
import { sleeper } from './support.js'

test(
  'FA-05 CG-17 a container in a unit: started, loaded, changed and removed',
  requires('root', 'rootfs'),
  async () => {
    using directory = temporaryDirectory('systemd-driver-')
    const systemd = await FakeSystemd.start()
    const options = { cgroupDriver: systemd.driver() }
    const factory = await Factory.open(directory.path, options)
    const id = `s${process.pid}`
    try {
      const container = await factory.create(id, {
        rootfs: busyboxRootfs(),
        cgroups: { path: `a.slice:lc:${id}`, pids: { max: 5 } },
      })
      const init = await container.run(sleeper)
      expect(await container.processes()).toEqual([init.pid])
      expect(readFileSync(`/proc/${init.pid}/cgroup`, 'utf8')).toContain(`/a.slice/lc-${id}.scope`)
      const loaded = await (await Factory.open(directory.path, options)).load(id)
      expect(await loaded.state()).toMatchObject({ cgroup_driver: 'systemd' })
      await loaded.set({ cgroups: { pids: { max: 6 } } })
      expect(systemd.told.at(-1)).toEqual({ TasksMax: 6n })
      await loaded.destroy({ force: true })
      expect(systemd.acts).toContain(`StopUnit lc-${id}.scope`)
      expect(systemd.units.size).toBe(0)
    } finally {
      await factory.remove(id)
    }
  },
)

test(
  'FA-05 a driver around the one of systemd: its state tells of the unit, and all that are loaded share one connection',
  requires('root', 'rootfs'),
  async () => {
    using directory = temporaryDirectory('systemd-around-')
    const systemd = await FakeSystemd.start()
    const inner = systemd.driver()
    const around: CgroupDriver = {
      at: where => inner.at(where),
      open: where => inner.open(where),
      create: (path, limits, options) => inner.create(path, limits, options),
    }
    const factory = await Factory.open(directory.path, { cgroupDriver: around })
    const id = `w${process.pid}`
    const opened = vi.spyOn(SystemdDriver, 'open')
    onTestFinished(() => opened.mockRestore())
    try {
      const container = await factory.create(id, {
        rootfs: busyboxRootfs(),
        cgroups: { path: `a.slice:lc:${id}` },
      })
      await container.run(sleeper)
      expect(await container.state()).toMatchObject({ cgroup_driver: 'systemd' })
      expect(await (await factory.load(id)).status()).toBe('running')

      // Whoever looks after it later need not know who has made its cgroup.
      const plain = await Factory.open(directory.path)
      opened.mockRejectedValueOnce(new Error('not now'))
      await expect(plain.load(id)).rejects.toThrow('not now')
      opened.mockResolvedValue(systemd.driver())
      await Promise.all([plain.load(id), plain.load(id)])
      await (await plain.load(id)).set({ cgroups: { pids: { max: 6 } } })
      expect(opened).toHaveBeenCalledTimes(2)
      expect(systemd.told.at(-1)).toEqual({ TasksMax: 6n })
    } finally {
      await factory.remove(id)
    }
    expect(systemd.units.size).toBe(0)
  },
)
