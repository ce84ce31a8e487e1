import { readdirSync, readlinkSync } from 'node:fs'
import { Factory } from '@libcontainer/container'
import { expect, test } from 'vitest'
import { busyboxRootfs, requires, temporaryDirectory } from './support/index.js'

/** The namespaces of each thread of this process, as /proc tells them. */
function ofThreads(): Set<string> {
  const told = readdirSync('/proc/self/task').map(task =>
    readdirSync(`/proc/self/task/${task}/ns`)
      .map(kind => readlinkSync(`/proc/self/task/${task}/ns/${kind}`))
      .join(' '),
  )
  return new Set(told)
}

test('D-04 no thread of this process ever changes a namespace', requires('root', 'rootfs'), async () => {
  const before = ofThreads()
  expect(before.size).toBe(1)
  using directory = temporaryDirectory('decisions-')
  const factory = await Factory.open(`${directory.path}/state`)
  const namespaces = ['user', 'mnt', 'pid', 'ipc', 'uts', 'net', 'cgroup', 'time'] as const
  const maps = [{ containerId: 0, hostId: 0, size: 65536 }]
  const container = await factory.create(`decisions-${process.pid}`, {
    rootfs: busyboxRootfs(),
    namespaces,
    uidMappings: maps,
    gidMappings: maps,
  })
  try {
    await container.run({ args: ['/bin/sleep', '1000'], env: ['PATH=/bin'] })
    expect(ofThreads()).toEqual(before)
    expect(await (await container.exec({ args: ['/bin/true'], env: ['PATH=/bin'] })).wait()).toMatchObject({ code: 0 })
  } finally {
    await container.destroy({ force: true })
  }
  expect(ofThreads()).toEqual(before)
})
