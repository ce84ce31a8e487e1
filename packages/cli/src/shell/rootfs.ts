import type { ContainerConfig } from '@libcontainer/container'
import { defaultMounts, readMountInfo } from '@libcontainer/mount'
import {
  isErrno,
  makeDirectory,
  type OwnedFd,
  openDirectory,
  readLink,
  type Stat,
  stat,
  symlinkInRoot,
  writeText,
} from '@libcontainer/sys'

type Mount = NonNullable<ContainerConfig['mounts']>[number]

/** Of the host's top: where programs and their libraries are. On a merged system all but `usr` are links into it. */
const PROGRAMS = ['usr', 'bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32']

/** What programs read in /etc, and anybody may know. */
const SETTINGS = [
  'alternatives',
  'bash.bashrc',
  'inputrc',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'profile',
  'profile.d',
  'protocols',
  'services',
  'terminfo',
]

/** /tmp counts as memory: as much of it as there is of that. */
const TMP_SIZE = '256m'

const filesOf = (hostname: string): Readonly<Record<string, string>> => ({
  passwd: 'root:x:0:0:root:/tmp:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n',
  group: 'root:x:0:\nnogroup:x:65534:\n',
  hosts: `127.0.0.1 localhost ${hostname}\n`,
  hostname: `${hostname}\n`,
  'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files\n',
})

/** The root of a shell: links and files of its own in a directory, and what is bound over them from the host. */
export interface ShellRoot {
  readonly links: readonly (readonly [path: string, target: string])[]
  readonly mounts: readonly Mount[]
}

/** Looks at the host, and changes nothing. */
export async function shellRoot(): Promise<ShellRoot> {
  const links: [string, string][] = []
  const binds: Mount[] = []
  const [programs, settings, infos] = await Promise.all([
    Promise.all(PROGRAMS.map(name => look(`/${name}`))),
    Promise.all(SETTINGS.map(name => look(`/etc/${name}`))),
    readMountInfo(),
  ])
  for (const found of [...programs, ...settings]) {
    if (found === undefined) continue
    if (found.stat.type === 'link') links.push([found.path, await readLink(found.path)])
    else
      binds.push(
        bindOf(
          found.path,
          infos.some(({ mountPoint }) => mountPoint.startsWith(`${found.path}/`)),
        ),
      )
  }
  const own = defaultMounts.filter(({ destination }) => !destination.startsWith('/sys/fs/cgroup'))
  const tmpfs = (destination: string, ...options: string[]): Mount => ({
    destination,
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['nosuid', 'nodev', ...options],
  })
  return {
    links,
    mounts: [...binds, ...own, tmpfs('/tmp', 'mode=1777', `size=${TMP_SIZE}`), tmpfs('/run', 'mode=755', 'size=16m')],
  }
}

/** Read-only with all that is mounted below it, where something is: that takes Linux 5.12. */
function bindOf(path: string, hasMounts: boolean): Mount {
  const how = hasMounts ? ['rbind', 'rro'] : ['bind', 'ro']
  return { destination: path, type: 'bind', source: path, options: [...how, 'nosuid', 'nodev'] }
}

async function look(path: string): Promise<{ path: string; stat: Stat } | undefined> {
  try {
    return { path, stat: await stat(path, { follow: false }) }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

/** Makes what is the shell's own. The points to mount on are made when they are mounted on. */
export async function makeShellRoot(path: string, { links }: ShellRoot, hostname: string): Promise<void> {
  for (const directory of ['', '/etc', '/home', '/root', '/var'])
    await makeDirectory(`${path}${directory}`, { mode: 0o755 })
  const root: OwnedFd = await openDirectory(path, { handle: true })
  try {
    for (const [link, target] of links) await symlinkInRoot(root, target, link)
  } finally {
    root.close()
  }
  for (const [name, text] of Object.entries(filesOf(hostname))) await writeText(`${path}/etc/${name}`, text)
}
