import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { probe } from '@libcontainer/cgroups'
import { isUnprivileged } from '@libcontainer/container'
import { describe, expect, test } from 'vitest'
import { busyboxRootfs, requires, together } from '../../../test/support/index.js'
import { hosts } from './hosts.js'

/** As whoever runs the tests: what root sees, and root makes others see, is proved elsewhere. */
const unprivileged = await isUnprivileged()
const { memory, pids } = await probe()
if (!unprivileged) process.stderr.write('skipped, for want of an ordinary user: CAP_SYS_ADMIN is in force\n')
const ordinary = together(requires('rootfs', 'reachable'), { skip: !unprivileged, tags: [] })

for (const { name, command, asks } of hosts) {
  const needs = together(ordinary, asks)
  // By one of them: where this runs, in an emulator, Node.js takes most of a minute for each start.
  const isFast = name === 'the executable'
  const limited = together(needs, { skip: !isFast || !memory.available || !pids.available, tags: [] })
  const run = (args: readonly string[]): { status: number | null; stdout: string; stderr: string } => {
    const directory = mkdtempSync(join(tmpdir(), 'ordinary-'))
    try {
      const [first, ...rest] = command
      const { status, stdout, stderr } = spawnSync(first!, [...rest, '--root', join(directory, 'state'), ...args], {
        cwd: directory,
        encoding: 'utf8',
      })
      expect(readdirSync(join(directory, 'state'))).toEqual([])
      return { status, stdout, stderr }
    } finally {
      rmSync(directory, { recursive: true })
    }
  }

  describe(name, () => {
    test('nsinit shell and exec work as an ordinary user', { ...needs, timeout: 60_000 }, () => {
      expect(run(['shell', '/bin/sh', '-c', 'id -u; touch /usr/x 2> /dev/null; echo $?; exit 4'])).toMatchObject({
        status: 4,
        stdout: '0\n1\n',
      })
      expect(run(['exec', '--rootfs', busyboxRootfs(), '/bin/sh', '-c', 'id -u; exit 5'])).toMatchObject({
        status: 5,
        stdout: '0\n',
      })
    })

    test('in a delegated cgroup the limits of nsinit shell hold, and it has nothing to say', limited, () => {
      const forks = 'i=0; while [ $i -lt 110 ]; do sleep 99 > /dev/null & i=$((i+1)); done; echo all'
      const script = `dd if=/dev/zero of=/tmp/x bs=1048576 count=300 2> /dev/null; echo $?; rm -f /tmp/x; sh -c '${forks}' 2>&1; exit 0`
      const { status, stdout, stderr } = run(['shell', '/bin/sh', '-c', script])
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      expect(stdout).toMatch(/^137\n.*fork/i)
    })

    test('BY-11 nsinit doctor tells of the delegated cgroup', limited, () => {
      const { status, stdout } = run(['doctor', '--json'])
      expect(status).toBe(0)
      const { works, findings } = JSON.parse(stdout) as {
        works: boolean
        findings: { name: string; available: boolean }[]
      }
      expect(works).toBe(true)
      expect(findings.find(each => each.name === 'delegation')?.available).toBe(true)
    })
  })
}
