import { describe, expect, test } from 'vitest'
import { managerSockets } from '../../src/systemd/sockets.js'
import { expandSlice, unitOf, unitOfDirectory } from '../../src/systemd/unit.js'

const refusal = (act: () => unknown): { field?: string; message?: string } => {
  try {
    act()
  } catch (error) {
    return error as { field: string }
  }
  return {}
}

describe('CG-72 the unit of a path', () => {
  test.each([
    ['system.slice:docker:c1', 'docker-c1.scope', 'system.slice', '/system.slice/docker-c1.scope'],
    [':libcontainer:c1', 'libcontainer-c1.scope', 'system.slice', '/system.slice/libcontainer-c1.scope'],
    ['a-b.slice::c1', 'c1.scope', 'a-b.slice', '/a.slice/a-b.slice/c1.scope'],
    ['-.slice:x:c1', 'x-c1.scope', '-.slice', '/x-c1.scope'],
    ['/libcontainer-demo', 'libcontainer-demo.scope', 'system.slice', '/system.slice/libcontainer-demo.scope'],
    ['::pods-one.slice', 'pods-one.slice', 'pods.slice', '/pods.slice/pods-one.slice'],
    ['pods.slice:ignored:pods-one.slice', 'pods-one.slice', 'pods.slice', '/pods.slice/pods-one.slice'],
    ['::pods.slice', 'pods.slice', '-.slice', '/pods.slice'],
    // As systemd-escape(1) has what a name may not hold.
    [':p:a+b ä', 'p-a\\x2bb\\x20\\xc3\\xa4.scope', 'system.slice', '/system.slice/p-a\\x2bb\\x20\\xc3\\xa4.scope'],
    // The directory of a unit that looks like a file of the kernel's is marked.
    ['::memory', 'memory.scope', 'system.slice', '/system.slice/_memory.scope'],
    ['::_x', '_x.scope', 'system.slice', '/system.slice/__x.scope'],
    ['cpu.slice::c', 'c.scope', 'cpu.slice', '/_cpu.slice/c.scope'],
  ])('%s', (path, name, slice, at) => {
    expect(unitOf(path, 'system.slice')).toEqual({ name, slice, path: at })
    expect(unitOfDirectory(`/sys/fs/cgroup${at}`)).toEqual({ name, sub: '' })
  })

  test('an ordinary user has another usual slice', () => {
    expect(unitOf(':x:y', 'user.slice').path).toBe('/user.slice/x-y.scope')
  })

  test('CG-83 a cgroup below a scope', () => {
    const unit = unitOf('a.slice:p:x/container', 'system.slice')
    expect(unit).toEqual({ name: 'p-x.scope', slice: 'a.slice', path: '/a.slice/p-x.scope', sub: 'container' })
    expect(unitOfDirectory('/sys/fs/cgroup/a.slice/p-x.scope/container')).toEqual({
      name: 'p-x.scope',
      sub: 'container',
    })
    for (const path of [':p:x/..', ':p:x/a/b', ':p:x/', ':p:/a', '::a.slice/b', ':p:x/a\nb', `:p:x/${'y'.repeat(256)}`])
      expect(
        refusal(() => unitOf(path, 'system.slice')),
        path,
      ).toMatchObject({ code: 'ConfigInvalid' })
  })

  test('a directory of another driver is no unit', () => {
    expect(unitOfDirectory('/sys/fs/cgroup/libcontainer-demo')).toBeUndefined()
    expect(unitOfDirectory('/sys/fs/cgroup/system.slice/demo')).toBeUndefined()
  })

  test.each(['', 'a:b', 'a:b:', 'a.slice:b:c:d', '/a/b', 'plain', '/', `:x:${'y'.repeat(250)}`, 'x.slice::a-b.slice'])(
    'EV-142 no unit: %s',
    path => {
      expect(refusal(() => unitOf(path, 'system.slice', 'cgroups.path'))).toMatchObject({
        code: 'ConfigInvalid',
        field: 'cgroups.path',
      })
    },
  )

  test.each([
    'a/b.slice',
    'a--b.slice',
    '-a.slice',
    'a-.slice',
    'a',
    '.slice',
    'a.scope',
    'a b.slice',
    `${'a'.repeat(250)}.slice`,
  ])('EV-142 no slice: %s', slice => {
    expect(refusal(() => expandSlice(slice))).toMatchObject({ code: 'ConfigInvalid', field: 'slice' })
    expect(refusal(() => unitOf(`${slice}:x:y`, 'system.slice'))).toMatchObject({ code: 'ConfigInvalid' })
  })

  test('the root slice, and one in another', () => {
    expect(expandSlice('-.slice')).toBe('/')
    expect(expandSlice('a-b-c.slice')).toBe('/a.slice/a-b.slice/a-b-c.slice')
  })
})

describe('CG-71 where the manager is asked', () => {
  test('of the system: the bus, then its own socket', () => {
    expect(managerSockets(false, {})).toEqual([
      { path: '/run/dbus/system_bus_socket', bus: true },
      { path: '/run/systemd/private', bus: false },
    ])
    expect(managerSockets(false, { DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=/x;unix:abstract=y' })).toEqual([
      { path: '/x', bus: true },
      { path: '@y', bus: true },
      { path: '/run/dbus/system_bus_socket', bus: true },
      { path: '/run/systemd/private', bus: false },
    ])
  })

  test('of a user: his own', () => {
    expect(managerSockets(true, { XDG_RUNTIME_DIR: '/run/user/7' })).toEqual([
      { path: '/run/user/7/bus', bus: true },
      { path: '/run/user/7/systemd/private', bus: false },
    ])
    expect(managerSockets(true, {})[0]).toEqual({ path: `/run/user/${process.geteuid!()}/bus`, bus: true })
    const named = { XDG_RUNTIME_DIR: '/run/user/7', DBUS_SESSION_BUS_ADDRESS: 'unix:path=/run/user/7/bus' }
    expect(managerSockets(true, named)).toHaveLength(2)
  })
})
