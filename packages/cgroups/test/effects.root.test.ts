// Limits by what they do where the machine has what for: a disk of the kernel's own for weights, swap in memory, a filter for marked packets.
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { IoLimits } from '@libcontainer/cgroups'
import { expect, onTestFinished, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { freshCgroup, pause, run } from './support.js'

const MiB = 1024 * 1024

function succeed(file: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(file, args, { encoding: 'utf8' })
  expect({ status, stderr }).toMatchObject({ status: 0 })
}

/** Another value of a file until the test's end. */
function changed(file: string, value: string): void {
  const before = readFileSync(file, 'utf8')
  onTestFinished(() => writeFileSync(file, /\[(.*)\]/.exec(before)?.[1] ?? before))
  writeFileSync(file, value)
}

test('CG-35 CG-53 under bfq a disk is shared by weights', {
  ...requires('root', 'cgroup2:io', 'file:/dev/nullb0', 'file:/sys/module/bfq'),
  timeout: 120_000,
}, async () => {
  const queue = '/sys/block/nullb0/queue'
  changed(`${queue}/scheduler`, 'bfq')
  // Its preference of who has just begun to read would hide the weights.
  writeFileSync(`${queue}/iosched/low_latency`, '0')
  // A slow machine takes long until it asks again: the disk waits for it.
  writeFileSync(`${queue}/iosched/slice_idle`, '1000')
  const reading = async (io: IoLimits) => {
    const group = await freshCgroup({ io })
    const reader = run('exec dd if=/dev/nullb0 of=/dev/null bs=4k iflag=direct')
    await group.add(reader.pid)
    return { group, reader }
  }
  const both = [await reading({ blkioWeight: 1000 }), await reading({ blkioWeight: 100 })]
  for (const { reader } of both) reader.go()
  const read = async (): Promise<number[]> => {
    const all = await Promise.all(both.map(({ group }) => group.stats(['io'])))
    return all.map(({ io }) => io!.devices.reduce((sum, { rbytes }) => sum + rbytes, 0))
  }
  await expect.poll(read, { timeout: 10_000 }).not.toContain(0)
  const ratio = async (): Promise<number> => {
    const before = await read()
    await pause(4000)
    const after = await read()
    const [heavy, light] = after.map((bytes, i) => bytes - before[i]!)
    return heavy! / light!
  }
  // Ten to one, with a wide margin; and again, where the machine was too busy to keep the disk busy. Without weights it is one to one.
  await expect.poll(ratio, { timeout: 60_000, interval: 10 }).toBeGreaterThan(2.5)
  expect((await read()).every(bytes => bytes > 0)).toBe(true)
})

test(
  'CG-33 swap on zram: what is over memory.max goes there, as far as swapMax lets it',
  requires('root', 'cgroup:memory', 'file:/sys/class/zram-control/hot_add', 'program:mkswap'),
  async () => {
    const id = readFileSync('/sys/class/zram-control/hot_add', 'utf8').trim()
    const disk = `/dev/zram${id}`
    onTestFinished(() => {
      spawnSync('swapoff', [disk])
      writeFileSync('/sys/class/zram-control/hot_remove', id)
    })
    writeFileSync(`/sys/block/zram${id}/disksize`, String(128 * MiB))
    succeed('mkswap', disk)
    succeed('swapon', disk)
    const fill = async (swapMax: number) => {
      const group = await freshCgroup({ memory: { max: 16 * MiB, swapMax } })
      // Files in memory are of no disk: they stay, or are swapped.
      const file = `/dev/shm/libcontainer-${process.pid}-${swapMax}`
      onTestFinished(() => rmSync(file, { force: true }))
      const writer = run(`exec dd if=/dev/zero of=${file} bs=1M count=32`)
      await group.add(writer.pid)
      writer.go()
      const { code, signal } = await writer.ended
      const { memory } = await group.stats(['memory'])
      return {
        code,
        signal,
        swapped: memory!.swapCurrent!,
        current: memory!.current,
        kills: await group.oomKillCount(),
      }
    }
    const fits = await fill(32 * MiB)
    expect(fits).toMatchObject({ code: 0, kills: 0 })
    expect(fits.swapped).toBeGreaterThan(12 * MiB)
    expect(fits.current).toBeLessThanOrEqual(16 * MiB)
    const full = await fill(4 * MiB)
    expect(full).toMatchObject({ signal: 'SIGKILL', kills: 1 })
    expect(full.swapped).toBeLessThanOrEqual(4 * MiB)
  },
)

test(
  'CG-41 net_cls: a filter tells the packets of a cgroup from others',
  requires('root', 'cgroup1:net_cls', 'namespace:net', 'file:/sys/module/cls_cgroup', 'program:tc', 'program:bash'),
  async () => {
    // In a network of its own: three classes, of which the third gets what nobody sends but the cgroup.
    const script = `exec unshare --net sh -c '
ip link set lo up
tc qdisc add dev lo root handle 10: prio
tc filter add dev lo parent 10: protocol ip prio 10 handle 1: cgroup
bash -c "echo packet > /dev/udp/127.0.0.1/9"
tc -s class show dev lo'`
    const sent = async (classid?: number): Promise<number[]> => {
      const group = await freshCgroup(classid === undefined ? {} : { netCls: { classid } })
      const sender = run(script)
      await group.add(sender.pid)
      sender.go()
      const { stdout, stderr } = await sender.ended
      const counts = [...stdout.matchAll(/class prio 10:[123].*\n\s*Sent \d+ bytes (\d+) pkt/g)].map(([, n]) =>
        Number(n),
      )
      expect({ classes: counts.length, stderr }).toEqual({ classes: 3, stderr: '' })
      return counts
    }
    expect((await sent())[2]).toBe(0)
    expect((await sent(0x100003))[2]).toBeGreaterThan(0)
  },
)
