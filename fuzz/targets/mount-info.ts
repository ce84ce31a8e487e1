import { type MountInfo, parseMountInfo } from '@libcontainer/mount'
import { parseCgroupMounts } from '../../packages/cgroups/src/host/mounts.js'
import { hold, same, textOf } from '../support/oracles.js'

/** As fs/proc_namespace.c writes a mount. */
function lineOf(mount: MountInfo): string {
  const tags = [
    mount.shared === undefined ? '' : ` shared:${mount.shared}`,
    mount.master === undefined ? '' : ` master:${mount.master}`,
    mount.propagateFrom === undefined ? '' : ` propagate_from:${mount.propagateFrom}`,
    mount.unbindable ? ' unbindable' : '',
  ]
  const before = [
    mount.id,
    mount.parent,
    `${mount.major}:${mount.minor}`,
    escaped(mount.root),
    escaped(mount.mountPoint),
  ]
  const after = [escaped(mount.type), escaped(mount.source), mount.superOptions.join(',')]
  return `${before.join(' ')} ${mount.options.join(',')}${tags.join('')} - ${after.join(' ')}\n`
}

const escaped = (text: string): string =>
  text.replace(/[ \t\n\\#]/g, character => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`)

/** The shape in which the kernel writes a line, whatever the names in it are. */
const LINE =
  /^\d{1,9} \d{1,9} \d{1,4}:\d{1,7} \/[^ ]* \/[^ ]* [a-z][^ ]*(?: (?:shared|master|propagate_from):\d{1,9}| unbindable)* - [^ ]+ [^ ]* [^ ]+$/

/** The plainest reading of such a line. */
function plainly(line: string): unknown[] {
  const dash = line.indexOf(' - ')
  const [before, after] = [line.slice(0, dash), line.slice(dash + 3)]
  const [id, parent, device = '', root = '', mountPoint = '', options = ''] = before.split(' ')
  const [type = '', source = '', superOptions = ''] = after.split(' ')
  const names = [root, mountPoint, type, source].map(name =>
    name.replace(/\\([0-3][0-7][0-7])/g, (_, octal: string) => String.fromCodePoint(Number(`0o${octal}`))),
  )
  return [...[id, parent, ...device.split(':')].map(Number), ...names, options, superOptions]
}

/** What was read says the same when it is written and read again, and the reader of cgroup mounts sees no others. */
export function fuzz(data: Uint8Array): void {
  const text = textOf(data)
  const isKernels = text.split('\n').every(line => line === '' || LINE.test(line))
  let mounts: MountInfo[] | undefined
  try {
    mounts = parseMountInfo(text)
  } catch (error) {
    // It is no request of anybody, so the error has no field, and shows the line.
    if (isKernels || !(error instanceof TypeError) || !error.message.startsWith('not a line of mountinfo: "'))
      throw error
  }
  const cgroups = parseCgroupMounts(text)
  if (mounts === undefined) return
  same(parseMountInfo(mounts.map(lineOf).join('')), mounts, 'written and read again')
  if (!isKernels) return
  const read = mounts.map(({ id, parent, major, minor, root, mountPoint, type, source, options, superOptions }) => {
    const names = [root, mountPoint, type, source]
    return [id, parent, major, minor, ...names, options.join(), superOptions.join()]
  })
  same(
    read,
    text
      .split('\n')
      .filter(line => line !== '')
      .map(plainly),
    'the fields',
  )
  for (const { version, mountpoint, root } of cgroups) {
    const type = version === 1 ? 'cgroup' : 'cgroup2'
    hold(
      mounts.some(mount => mount.type === type && mount.mountPoint === mountpoint && mount.root === root),
      `only one reader sees ${type} on ${mountpoint}`,
    )
  }
}

export function seeds(): string[] {
  return [
    '21 27 0:20 / /proc rw,nosuid,nodev,noexec,relatime shared:12 - proc proc rw\n27 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro\n',
    '36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 propagate_from:7 - ext3 /dev/root rw,errors=continue\n',
    '39 27 0:42 / /- rw unbindable - fuse - rw\n',
    '37 27 0:40 / /a\\040b\\011c\\134d rw unbindable - tmpfs  rw,size=4k\n',
    '38 27 0:41 / /proc/sys/fs rw shared:3 master:2 new:9 flag - fuse.sshfs host:/x\\040y rw,opt=a b\n',
    '30 27 0:26 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755\n31 30 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate\n' +
      '32 30 0:30 /docker/x /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n33 30 0:31 / /sys/fs/cgroup/systemd rw - cgroup none rw,name=systemd\n',
  ]
}
