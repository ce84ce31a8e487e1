import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { initLabels } from '@libcontainer/selinux'
import { expect, test } from 'vitest'
import { copyOfBusyboxRootfs, requires, type TemporaryDirectory, together } from '../../../test/support/index.js'
import { Bundle, hosts, specOf } from './hosts.js'

// What engines run is the executable: one of both is enough, in an emulator.
const host = hosts.at(-1)!
const needs = together(host.needs, requires('lsm:selinux', 'program:chcon'))

/** The label of the program, and that of a file system made for it. */
const script = 'cat /proc/self/attr/current; echo; grep " /dev " /proc/self/mounts'
const toldOf = (text: string) => ({
  processLabel: /^\S+:\S+/.exec(text)?.[0].replace('\0', ''),
  mountLabel: /[,"]?context="?([^"\s]+?)"?,(?!c\d)/.exec(text)?.[1],
})

function labelledRootfs(label: string): TemporaryDirectory {
  const rootfs = copyOfBusyboxRootfs()
  chmodSync(rootfs.path, 0o755)
  execFileSync('chcon', ['-R', label, rootfs.path])
  return rootfs
}

test(
  'SE-08 EV-115 podman by its own options, runc and lcrun give the same labels',
  together(needs, requires('program:podman', 'program:runc')),
  async () => {
    const options = ['type:container_init_t', 'level:s0:c5,c6']
    const { processLabel, mountLabel, release } = await initLabels(options)
    try {
      using rootfs = labelledRootfs(mountLabel)
      const engine = options.flatMap(option => ['--security-opt', `label=${option}`])
      for (const runtime of ['/usr/sbin/runc', host.command[0]!]) {
        const args = ['--runtime', runtime, 'run', '--rm', '--network', 'none', ...engine, '--rootfs', rootfs.path]
        const { status, stdout, stderr } = spawnSync('podman', [...args, '/bin/sh', '-c', script], { encoding: 'utf8' })
        expect({ status, ...toldOf(stdout) }, stdout + stderr).toEqual({ status: 0, processLabel, mountLabel })
      }
      using bundle = new Bundle(host)
      const spec = specOf(['/bin/sh', '-c', script], { process: { selinuxLabel: processLabel } })
      const { linux } = spec as { linux: object }
      bundle.write({ ...spec, root: { path: rootfs.path }, linux: { ...linux, mountLabel } })
      const ours = bundle.run(['run', bundle.id])
      expect(toldOf(ours.stdout), ours.stderr).toEqual({ processLabel, mountLabel })
      const theirs = spawnSync('runc', ['run', bundle.id], { cwd: bundle.path, encoding: 'utf8' })
      expect(toldOf(theirs.stdout), theirs.stderr).toEqual({ processLabel, mountLabel })
    } finally {
      await release()
    }
  },
)

test('OL-07 exec under the label of the container, and under another by --process-label', needs, () => {
  const [own, other] = ['container_t', 'container_init_t'].map(type => `system_u:system_r:${type}:s0:c7,c8`)
  const mountLabel = 'system_u:object_r:container_file_t:s0:c7,c8'
  using rootfs = labelledRootfs(mountLabel)
  using bundle = new Bundle(host)
  const spec = specOf(['/bin/sleep', '1000'], { process: { selinuxLabel: own } })
  const { linux } = spec as { linux: object }
  bundle.sleeping(bundle.id, { ...spec, root: { path: rootfs.path }, linux: { ...linux, mountLabel } })
  const label = (...flags: string[]): string =>
    bundle.run(['exec', ...flags, bundle.id, 'cat', '/proc/self/attr/current']).stdout
  expect([label(), label('--process-label', other!)]).toEqual([`${own}\0`, `${other}\0`])
  expect(bundle.run(['exec', '--process-label', 'system_u:system_r:absent_t:s0', bundle.id, 'true'])).toMatchObject({
    status: 255,
    stderr: expect.stringMatching(/selinuxLabel: is no context of the policy/),
  })
})
