import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readConfig } from '@libcontainer/container'
import { expect, test } from 'vitest'
import { busyboxRootfs, requires, temporaryDirectory } from '../../../../test/support/index.js'
import { Bench } from '../support.js'

test(
  'MT-44 binds of 2014: read-only unless writable, with what is mounted below, and private where that is said',
  requires('root', 'rootfs'),
  async () => {
    await using bench = await Bench.open('binds')
    using directory = temporaryDirectory('binds-')
    chmodSync(directory.path, 0o755)
    for (const name of ['a', 'b']) mkdirSync(join(directory.path, name))
    writeFileSync(join(directory.path, 'a/file'), 'text')
    const bind = (name: string, more: object = {}) => ({
      type: 'bind',
      source: join(directory.path, name),
      destination: `/dev/${name}`,
      ...more,
    })
    const { config } = readConfig(
      {
        namespaces: { NEWNS: true, NEWPID: true, NEWIPC: true, NEWUTS: true, NEWNET: true },
        mount_config: {
          mounts: [bind('a'), bind('b', { writable: true, private: true }), { type: 'tmpfs', destination: '/dev/c' }],
        },
      },
      { rootfs: busyboxRootfs() },
    )
    const { cgroups: _, ...own } = config
    const script = `cat /dev/a/file; echo; touch /dev/a/x || :; touch /dev/b/x /dev/c/x; ls /dev/b; grep -c " /dev/[abc] " /proc/self/mountinfo`
    const { stdout, stderr } = await bench.run(script, own)
    expect(stdout).toBe('text\nx\n3\n')
    expect(stderr).toContain('/dev/a/x: Read-only file system')
    expect([readdirSync(join(directory.path, 'a')), readdirSync(join(directory.path, 'b'))]).toEqual([['file'], ['x']])
  },
)
