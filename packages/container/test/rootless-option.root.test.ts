import { cgroupHost, findDelegation } from '@libcontainer/cgroups'
import { Factory } from '@libcontainer/container'
import { expect, test } from 'vitest'
import { busyboxRootfs, requires, temporaryDirectory } from '../../../test/support/index.js'
import { sleeper } from './support.js'

test('RL-01 root may say that its cgroups are an ordinary user’s, or that they are not', requires('root'), async () => {
  using directory = temporaryDirectory('rootless-option-')
  const { hierarchies } = await cgroupHost()
  const controllersOf = async (rootless: boolean | undefined): Promise<string[]> => {
    const factory = await Factory.open(`${directory.path}/state`, { rootless })
    const container = await factory.create(`rootless-${rootless}-${process.pid}`, { rootfs: busyboxRootfs() })
    try {
      await container.run(sleeper)
      return Object.keys((await container.state()).cgroup_paths)
    } finally {
      await container.destroy({ force: true })
    }
  }
  // Version 1 is lent to nobody.
  expect(await controllersOf(true)).toEqual((await findDelegation()) === undefined ? [] : [''])
  const all = hierarchies.flatMap(({ version, controllers }) => (version === 2 ? [''] : controllers))
  expect((await controllersOf(false)).sort()).toEqual(all.sort())
  expect((await controllersOf(undefined)).sort()).toEqual(all.sort())
  await expect(Factory.open(directory.path, { rootless: 'auto' as never })).rejects.toMatchObject({ field: 'rootless' })
})
