import { obstacleOf, readUserNamespaceFacts, userNamespaceObstacle } from '@libcontainer/namespaces'
import { LibcontainerError, SyscallError } from '@libcontainer/sys'
import { expect, test } from 'vitest'

test('each cause of blocked user namespaces is named, with the line that mends it', () => {
  const open = { supported: true, max: 1000, mapped: true }
  const cases: [string, Parameters<typeof userNamespaceObstacle>[1], string, RegExp][] = [
    ['EINVAL', { supported: false }, 'kernel', /CONFIG_USER_NS/],
    ['ENOSPC', { ...open, max: 0 }, 'limit', /^sysctl -w user.max_user_namespaces=/],
    ['ENOSPC', open, 'limit', /^sysctl -w user.max_user_namespaces=/],
    ['EUSERS', open, 'depth', /around/],
    ['EPERM', { ...open, unprivilegedClone: false }, 'switch', /^sysctl -w kernel.unprivileged_userns_clone=1$/],
    ['EACCES', { ...open, appArmorRestricts: true }, 'apparmor', /^sysctl -w kernel.apparmor_restrict_\w+=0$/],
    ['EPERM', { ...open, chroot: true, filtered: true }, 'chroot', /pivot_root/],
    ['EPERM', { ...open, mapped: false }, 'unmapped', /map/],
    ['EPERM', { ...open, filtered: true }, 'seccomp', /seccomp=unconfined/],
    ['ENOSYS', { ...open, filtered: true }, 'seccomp', /seccomp=unconfined/],
    ['EPERM', open, 'security', /dmesg/],
  ]
  for (const [code, facts, cause, remedy] of cases) {
    expect(userNamespaceObstacle(code, facts)).toMatchObject({ cause, remedy: expect.stringMatching(remedy) })
  }
  expect(userNamespaceObstacle('EAGAIN', open)).toBeUndefined()
})

test('an error that tells of no refusal stays as it is; another keeps its call and its cause', async () => {
  const other = new LibcontainerError('EPERM', 'no call of the kernel')
  expect(await obstacleOf(other)).toBe(other)
  const late = new SyscallError(4, 'clone3')
  expect(await obstacleOf(late)).toBe(late)
  const refused = new SyscallError(28, 'clone3', { step: 'bootstrap' })
  expect(await obstacleOf(refused)).toMatchObject({
    code: 'ENOSPC',
    syscall: 'clone3',
    step: 'bootstrap',
    hint: expect.stringContaining('user.max_user_namespaces'),
    cause: refused,
  })
})

test('the facts of this host', async () => {
  const facts = await readUserNamespaceFacts()
  expect(facts.mapped).toBe(true)
  expect(facts.supported).toBe(true)
  expect(facts.chroot).toBe(false)
})
