import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  firstAt,
  listMounts,
  mount,
  parseMountInfo,
  readMountInfo,
  seenAt,
  statMounts,
  streamMountInfo,
  unmount,
} from '@libcontainer/mount'
import { kernelAtLeast } from '@libcontainer/sys'
import { expect, test } from 'vitest'
import { requires, temporaryDirectory } from '../../../test/support/index.js'

const ours = (): string => readFileSync('/proc/self/mountinfo', 'utf8')

test(
  'MT-03 LR-15 the table as a list, one by one, and up to the first that is looked for',
  requires('root'),
  async () => {
    using directory = temporaryDirectory('table-')
    await mount('tmpfs', directory.path, { options: ['size=1m'] })
    try {
      // More than is read at once, so that lines are cut: 700 binds.
      const many = join(directory.path, 'many')
      for (let i = 0; i < 700; i++) mkdirSync(join(many, String(i)), { recursive: true })
      execFileSync('sh', [
        '-c',
        `mount --make-private ${directory.path}; for i in $(seq 0 699); do echo "mount -n --bind ${many}/$i ${many}/$i"; done | sh`,
      ])
      const whole = parseMountInfo(ours()).filter(({ mountPoint }) => mountPoint.startsWith(directory.path))
      expect(whole).toHaveLength(701)
      const here = ({ mountPoint }: { mountPoint: string }) => mountPoint.startsWith(directory.path)
      expect(await readMountInfo('self', here)).toEqual(whole)
      expect(await readMountInfo(process.pid, here)).toEqual(whole)
      const streamed = []
      for await (const each of streamMountInfo('self', here)) streamed.push(each)
      expect(streamed).toEqual(whole)
      const [found, ...others] = await readMountInfo('self', firstAt(join(many, '3')))
      expect([found?.mountPoint, others]).toEqual([join(many, '3'), []])
      // LR-15: what is read is of one moment. What was read already goes while the rest is waited for.
      let calls = 0
      const changed = await readMountInfo('self', each => {
        if (calls++ === 0) execFileSync('umount', [join(many, '0')])
        return here(each)
      })
      expect(changed).toEqual(whole.filter(({ mountPoint }) => mountPoint !== join(many, '0')))
      expect(calls).toBeGreaterThan(1400)
      // Whoever stops listening has the file closed.
      for await (const _ of streamMountInfo()) break
      await expect(readMountInfo(2 ** 22)).rejects.toMatchObject({ code: 'ENOENT', path: `/proc/${2 ** 22}/mountinfo` })
    } finally {
      await unmount(directory.path, { detach: true })
    }
  },
)

test(
  'MT-02 listmount and statmount tell what mountinfo does, with numbers for good',
  requires('root', 'kernel:6.8'),
  async () => {
    using directory = temporaryDirectory('table-')
    await mount('tmpfs', directory.path, { source: 'a name', options: ['size=64k', 'nosuid', 'noatime'] })
    try {
      const [told] = await readMountInfo('self', firstAt(directory.path))
      const all = await statMounts(await listMounts())
      const status = seenAt(all, directory.path) as (typeof all)[number] | undefined
      const { superOptions: _, source, ...rest } = told!
      expect(status).toMatchObject(rest)
      expect(status!.superOptions).toEqual(expect.arrayContaining(['rw', 'size=64k']))
      // Who made it, and lists of options, are told since Linux 6.11 and 6.13.
      if (kernelAtLeast('6.13')) expect(status!.source).toBe(source)
      expect(status!.uniqueId).toBeGreaterThan(2n ** 31n)
      expect(await statMounts([status!.uniqueId])).toEqual([status])
      const parent = await statMounts([status!.uniqueParent])
      expect(parent[0]?.id).toBe(told!.parent)
      expect(await listMounts({ of: status!.uniqueParent })).toContain(status!.uniqueId)
      // Each of the table's, by the same number.
      expect(new Set(all.map(({ id }) => id))).toEqual(new Set(parseMountInfo(ours()).map(({ id }) => id)))
      await unmount(directory.path)
      expect(await statMounts([status!.uniqueId])).toEqual([])
    } finally {
      await unmount(directory.path, { detach: true }).catch(() => {})
    }
  },
)
