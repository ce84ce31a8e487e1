import { readFileSync } from 'node:fs'
import * as libcontainer from 'libcontainer'
import { Cgroup } from 'libcontainer/cgroups'
import { expect, test } from 'vitest'

test('MP-01 container at the top, each facility under its name and as a subpath', () => {
  expect(libcontainer.Factory).toBeTypeOf('function')
  expect(libcontainer.cgroups.Cgroup).toBe(Cgroup)
  const names = [
    'capabilities',
    'console',
    'devices',
    'init',
    'intelrdt',
    'keys',
    'apparmor',
    'mount',
    'namespaces',
    'oci',
    'seccomp',
    'selinux',
    'sys',
    'user',
  ]
  const packages = new Map<string, unknown>(Object.entries(libcontainer))
  for (const name of names) expect(Object.keys(packages.get(name) ?? {}).length, name).toBeGreaterThan(2)
})

test('MP-02 importing it loads no binding until one is used', async () => {
  const bindings = (): string[] =>
    readFileSync('/proc/self/maps', 'utf8')
      .split('\n')
      .flatMap(
        line =>
          /\/(sys|cgroups|mount|devices|console|seccomp|capabilities|namespaces|keys)\.node$/.exec(line)?.[1] ?? [],
      )
  const before = new Set(bindings())
  await import('libcontainer')
  expect(new Set(bindings())).toEqual(before)
  libcontainer.sys.ids()
  expect(bindings()).toContain('sys')
})
