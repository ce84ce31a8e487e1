import { readFileSync } from 'node:fs'
import { validate } from '@libcontainer/container'
import { expect, test } from 'vitest'
import { busyboxRootfs, requires, together } from '../../../test/support/index.js'
import { Bench, hostIds, inside } from './support.js'

const needs = requires('root', 'rootfs')

test('MT-35 5a no_pivot_root: a container whose root was moved is one like any other', needs, async () => {
  await using bench = await Bench.open('moved')
  const before = readFileSync('/proc/self/mountinfo', 'utf8')
  const { container } = await bench.running({ noPivotRoot: true, readonlyRootfs: true })
  const script = 'pwd; ls /proc/1/root/; touch /x 2>&1; grep -c " / / " /proc/self/mountinfo; ls -l /proc/self/root'
  const seen = await inside(container, script)
  expect(seen.split('\n')).toEqual(expect.arrayContaining(['/', 'bin', 'proc', 'touch: /x: Read-only file system']))
  expect(await inside(container, 'cat /proc/1/comm')).toBe('sleep')
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(before)
  await container.destroy({ force: true })
})

test('MT-35 in a user namespace of its own', together(needs, requires('namespace:user')), async () => {
  await using bench = await Bench.open('moved')
  const config = {
    noPivotRoot: true,
    namespaces: ['mnt', 'pid', 'ipc', 'uts', 'net', 'user'],
    uidMappings: hostIds,
    gidMappings: hostIds,
  } as const
  expect(await bench.text('id -u; cat /proc/1/comm; :', config)).toBe('0\nsh')
})

test('EV-025 a moved root and private propagation are refused together', needs, async () => {
  const fields = async (more: object) =>
    (await validate({ rootfs: busyboxRootfs(), ...more })).map(({ field }) => field)
  for (const rootPropagation of ['private', 'rprivate'])
    expect(await fields({ noPivotRoot: true, rootPropagation })).toEqual(['rootPropagation'])
  for (const rootPropagation of ['slave', 'rslave', 'shared', 'rshared', 'unbindable', 'runbindable', undefined])
    expect([rootPropagation, await fields({ noPivotRoot: true, rootPropagation })]).toEqual([rootPropagation, []])
  expect(await fields({ rootPropagation: 'rprivate' })).toEqual([])
  expect(await fields({ noPivotRoot: 1 })).toEqual(['noPivotRoot'])
})
