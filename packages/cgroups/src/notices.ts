import { checked, nulTerminated, OwnedFd, POLLIN, poll, readFd, type Waiting, writeFd } from '@libcontainer/sys'
import { native } from './native.js'
import { fileIn, type Place } from './place.js'

/** Opens what the kernel notifies by, at once: what happens from now on is told. */
export function openNotices(place: Place, file: string, argument = ''): OwnedFd {
  const { hierarchy, path, directory } = place
  const fd =
    hierarchy.version === 1
      ? native.sync.notifyCgroup1(hierarchy.mountpoint, path, file, argument)
      : native.sync.watchCgroup(hierarchy.mountpoint, path, file)
  return new OwnedFd(
    checked(fd, hierarchy.version === 1 ? 'cgroup.event_control' : 'inotify_add_watch', `${directory}/${file}`),
  )
}

/** Waits for the next notice, and takes it and those that came with it. Answers how many these were, where that can be known (v1); else 1. */
export async function nextNotice(notices: OwnedFd, { signal }: Waiting): Promise<number> {
  await poll(notices.fd, POLLIN, { signal })
  const bytes = new Uint8Array(4096)
  // An eventfd's counter; what inotify tells is longer.
  return (await readFd(notices.fd, bytes)) === 8 ? Number(new DataView(bytes.buffer).getBigUint64(0, true)) : 1
}

/** Opens PSI's trigger of a v2 cgroup: readable by `POLLPRI` when tasks stall longer than `some 150000 1000000` says. */
export async function openTrigger(place: Place, file: string, trigger: string): Promise<OwnedFd> {
  const path = `${place.directory}/${file}`
  const O_RDWR = 2
  const fd = new OwnedFd(
    checked(native.sync.openCgroup(place.hierarchy.mountpoint, fileIn(place, file), O_RDWR), 'openat2', path),
  )
  try {
    await writeFd(fd.fd, nulTerminated([trigger]))
    return fd
  } catch (error) {
    fd.close()
    throw error
  }
}
