import { existsSync, mkdirSync, statSync } from 'node:fs'
import { Cgroup, type CreateOptions, type Limits } from '@libcontainer/cgroups'
import { type CgroupDriver, Factory } from '@libcontainer/container'
import { describe, expect, onTestFinished, test } from 'vitest'
import { busyboxRootfs, requires } from '../../../test/support/index.js'
import { Bench } from './support.js'

const OWNER = 12345

/** The file systems themselves, whose cgroups differ by some of their members. @param made - told of each that is made */
function driverOf(made: (group: Cgroup) => void, members: (group: Cgroup) => object): CgroupDriver {
  type Where = string | Readonly<Record<string, string>>
  const changed = (group: Cgroup): Cgroup =>
    new Proxy(group, {
      get(target, name) {
        const own = members(target) as Record<PropertyKey, unknown>
        const value = Object.hasOwn(own, name) ? own[name] : (Reflect.get(target, name, target) as unknown)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  return {
    at: async (where: Where) => changed(await Cgroup.at(where)),
    open: async (where: Where) => changed(await Cgroup.open(where)),
    create: async (path: string, limits: Limits, options: CreateOptions) => {
      const group = await Cgroup.create(path, limits, options)
      made(group)
      return changed(group)
    },
  }
}

describe('cgroups.owner', () => {
  test(
    'CG-83 the unified directory is given to a user, its limits are not, and all below it goes with the container',
    requires('root', 'rootfs', 'cgroup2'),
    async () => {
      await using bench = await Bench.open('owned')
      const { container } = await bench.running({ cgroups: { owner: OWNER } })
      const directory = (await container.state()).cgroup_paths['']!
      const uidOf = (file: string): number => statSync(`${directory}/${file}`).uid
      expect([uidOf('.'), uidOf('cgroup.procs'), uidOf('cgroup.subtree_control')]).toEqual([OWNER, OWNER, OWNER])
      expect([uidOf('cgroup.max.depth'), uidOf('..')]).toEqual([0, 0])
      mkdirSync(`${directory}/below`)
      await expect(container.set({ cgroups: { owner: 1 } })).rejects.toMatchObject({ field: 'cgroups.owner' })
      await container.destroy({ force: true })
      expect(() => statSync(directory)).toThrow('ENOENT')
    },
  )

  test(
    'a driver whose cgroups cannot be given is refused, and nothing is left',
    requires('root', 'rootfs'),
    async () => {
      await using bench = await Bench.open('unowned')
      let made = 0
      const factory = await Factory.open(`${bench.factory.root}/other`, {
        cgroupDriver: driverOf(
          () => void made++,
          () => ({ delegate: undefined }),
        ),
      })
      const id = bench.id()
      const refused = factory.create(id, { rootfs: busyboxRootfs(), cgroups: { owner: OWNER } })
      await expect(refused).rejects.toThrow('cgroups.owner: cannot be set by this cgroupDriver')
      expect([made, existsSync(`${factory.root}/${id}`)]).toEqual([0, false])
      await (await factory.create(id, { rootfs: busyboxRootfs() })).destroy()
    },
  )

  test(
    'a cgroup that could neither be given nor removed again: the first fault is told, and its record stays',
    requires('root', 'rootfs'),
    async () => {
      await using bench = await Bench.open('ungiven')
      const made: Cgroup[] = []
      onTestFinished(async () => {
        for (const group of made) await group.destroy()
      })
      let stuck = true
      const factory = await Factory.open(`${bench.factory.root}/other`, {
        cgroupDriver: driverOf(
          group => void made.push(group),
          group => ({
            delegate: () => Promise.reject(new Error('not to be given')),
            destroy: () => (stuck ? Promise.reject(new Error('not to be removed')) : group.destroy()),
          }),
        ),
      })
      const id = bench.id()
      const container = await factory.create(id, { rootfs: busyboxRootfs(), cgroups: { owner: OWNER } })
      await expect(container.run({ args: ['true'] })).rejects.toThrow('not to be given')
      expect(existsSync(`${factory.root}/${id}/cgroup.json`)).toBe(true)
      stuck = false
      // It is there, and empty: it is given as it is.
      await expect(container.run({ args: ['true'] })).rejects.toThrow('not to be given')
      expect(await made[0]!.exists()).toBe(true)
      await made[0]!.destroy()
      await expect(container.run({ args: ['true'] })).rejects.toThrow('not to be given')
      expect(existsSync(`${factory.root}/${id}/cgroup.json`)).toBe(false)
      await factory.remove(id)
      expect(await Promise.all(made.map(group => group.exists()))).not.toContain(true)
    },
  )
})

test(
  'EV-147 checkBeforeUpdate of the config refuses less memory than is in use, until it is taken back',
  requires('root', 'rootfs', 'cgroup:memory'),
  async () => {
    await using bench = await Bench.open('checked')
    const { container } = await bench.running({ cgroups: { checkBeforeUpdate: true, memory: { max: 64 << 20 } } })
    const max = async (): Promise<unknown> => (await container.stats()).cgroups.memory?.max
    const change = container.set({ cgroups: { memory: { max: 4096 } } })
    await expect(change).rejects.toThrow('memory.max: is not above the')
    expect([await max(), container.config().cgroups.memory!.max]).toEqual([64 << 20, 64 << 20])
    await container.set({ cgroups: { memory: { max: 48 << 20 } } })
    expect(await max()).toBe(48 << 20)
    await container.set({ cgroups: { checkBeforeUpdate: false } })
    expect(container.config().cgroups).toMatchObject({ checkBeforeUpdate: false, memory: { max: 48 << 20 } })
  },
)
