import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { busyboxRootfs, requires, temporaryDirectory } from '../../../test/support/index.js'

const program = `
  import { Factory } from '@libcontainer/container'
  import { readMountInfo } from '@libcontainer/mount'
  const [state, rootfs, id] = process.argv.slice(1)
  const factory = await Factory.open(state)
  const before = await readMountInfo()
  const container = await factory.create(id, { rootfs })
  const child = await container.run({ args: ['/bin/sh', '-c', 'cat /proc/self/mountinfo'], stdio: ['null', 'pipe', 'inherit'] })
  let text = ''
  for await (const chunk of child.stdout) text += chunk
  const { code } = await child.wait()
  await container.destroy()
  console.log(JSON.stringify({ code, host: before.length, same: (await readMountInfo()).length === before.length, own: text.split('\\n').length }))
`

test(
  'LR-15 on a host with 10 000 mounts a container starts, has its own alone, and leaves the host’s as they were',
  requires('root', 'rootfs', 'program:unshare'),
  () => {
    using directory = temporaryDirectory('many-')
    const at = directory.path
    // In a mount namespace of the test's own: 100 mounts, and 100 copies of all of them.
    const script = [
      `mkdir ${at}/tree && mount -t tmpfs none ${at}/tree && cd ${at}/tree && mkdir 0`,
      'for i in $(seq 100); do mkdir 0/$i; echo "mount -n --bind 0/$i 0/$i"; done | sh',
      'for i in $(seq 100); do mkdir $i; echo "mount -n --rbind 0 $i"; done | sh',
      'cd "$3" && exec "$0" --input-type=module -e "$1" "$2/state" "$4" "$5"',
    ].join(' && ')
    const here = fileURLToPath(new URL('..', import.meta.url))
    const before = readFileSync('/proc/self/mountinfo', 'utf8')
    const args = [process.execPath, program, at, here, busyboxRootfs(), `many-${process.pid}`]
    const told = execFileSync('unshare', ['-m', '--propagation', 'private', 'sh', '-c', script, ...args], {
      encoding: 'utf8',
    })
    const { host, own, ...rest } = JSON.parse(told)
    expect(rest).toEqual({ code: 0, same: true })
    expect(host).toBeGreaterThan(10_000)
    expect(own).toBeLessThan(60)
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(before)
  },
)
