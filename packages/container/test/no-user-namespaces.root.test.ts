import { type ContainerConfig, plan, sandbox, validate } from '@libcontainer/container'
import { describe, expect, test } from 'vitest'
import { busyboxRootfs, requires, temporaryDirectory, together } from '../../../test/support/index.js'
import { Bench, finished } from './support.js'

const needs = together(requires('root', 'rootfs', 'namespace:user'), requires('program:unshare'))
/** What the kernel says where `user.max_user_namespaces` is 0. */
const REFUSED = /No space left on device/

/** A container on the host's programs, whose filter lets everything through: what is refused then is refused by something else. */
const trying = (share: readonly ['user'] | readonly [], config: Partial<ContainerConfig>, stateRoot: string) =>
  sandbox({ ro: ['/usr'], share, stateRoot, config: { seccomp: null, ...config } })

describe.each([
  ['by the count of its own user namespace', []],
  ['by a filter where it has none', ['user']],
] as const)('BY-05 %s', (_, share) => {
  test('BY-05 no program makes a user namespace, neither the first nor a further one', needs, async () => {
    using place = temporaryDirectory('no-userns-')
    const free = await trying(share, { disableUserNamespaces: false }, place.path).run(['unshare', '-U', 'true'])
    expect(free).toMatchObject({ code: 0, stderr: '' })
    const shut = trying(share, { disableUserNamespaces: true }, place.path)
    expect((await shut.run(['unshare', '-U', 'true'])).stderr).toMatch(REFUSED)
    const container = await shut.create()
    try {
      await container.run({ args: ['sleep', '1000'] })
      const further = await container.exec({ args: ['unshare', '-U', 'true'], stdio: 'pipe' })
      expect((await finished(further)).stderr).toMatch(REFUSED)
      // A new process is one as ever.
      const forking = await container.exec({ args: ['sh', '-c', '(true); echo $?'], stdio: 'pipe' })
      expect(await finished(forking)).toMatchObject({ stdout: '0\n', stderr: '' })
    } finally {
      await container.destroy({ force: true })
    }
  })
})

test('BY-05 beside a profile the stricter of both holds, for hooks in the container, too', needs, async () => {
  await using bench = await Bench.open('no-userns')
  const refuses = { names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 } as const
  const script = 'mkdir /tmp/x 2>&1; unshare -U true 2>&1; true'
  const config: Partial<ContainerConfig> = {
    rootOverlay: { temporary: true },
    disableUserNamespaces: true,
    seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [refuses] },
    capabilities: null,
  }
  expect(await bench.text(script, config)).toMatch(/Operation not permitted[\s\S]*No space left on device/)
  const hook = { path: '/bin/sh', args: ['sh', '-c', `(${script}) >&2; exit 1`], env: ['PATH=/bin:/usr/bin'] }
  const container = await bench.create({ ...config, hooks: { startContainer: [hook] } })
  await expect(container.run({ args: ['/bin/true'] })).rejects.toThrow(
    /Operation not permitted[\s\S]*No space left on device/,
  )
})

test('BY-05 what could not hold is refused', needs, async () => {
  const map = [{ containerId: 0, hostId: 100000, size: 65536 }]
  const own = { namespaces: ['mnt', 'pid', 'user'], uidMappings: map, gidMappings: map, devices: [], mounts: [] }
  const problems = async (config: object): Promise<string[]> =>
    (await validate({ rootfs: busyboxRootfs(), ...config } as ContainerConfig)).map(({ field }) => field)
  const shut = { ...own, disableUserNamespaces: true }
  expect(await problems(shut)).toEqual([])
  for (const wrong of [
    { ...own, disableUserNamespaces: 'yes' },
    { ...shut, capabilities: null },
    { ...shut, capabilities: ['CHOWN', 'CAP_SYS_RESOURCE'] },
    { ...shut, sysctl: { 'user.max_user_namespaces': '3' } },
  ])
    expect(await problems(wrong)).toEqual(['disableUserNamespaces'])
  // Nor a process that would undo it for all others, be it the first or a further one.
  for (const capabilities of [null, ['CAP_SYS_RESOURCE'], { bounding: ['CAP_SYS_RESOURCE'] }])
    await expect(
      plan('no-userns', { rootfs: busyboxRootfs(), disableUserNamespaces: true, ...own } as ContainerConfig, {
        args: ['/bin/true'],
        capabilities,
      }),
    ).rejects.toMatchObject({ code: 'ConfigInvalid', field: 'process.capabilities' })
})
