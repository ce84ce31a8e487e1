import type { Answer, AskedFile } from '@libcontainer/init'
import type { IdMaps } from '@libcontainer/namespaces'
import { ConfigInvalid, nulTerminated, readFd } from '@libcontainer/sys'
import { findUser, getAdditionalGroups, getExecUser, MAX_FILE } from '@libcontainer/user'
import type { ProcessSpec } from '../config/process-spec.js'
import { groupBytes } from '../plan/process.js'
import { environment, variable } from '../validate/process.js'
import { checkMapped } from '../validate/rootless.js'

/** Answers `ask('user')`: who runs, found in the container's own passwd and group. Missing files are empty ones. */
export async function answerUser(spec: ProcessSpec, files: readonly AskedFile[], maps?: IdMaps): Promise<Answer> {
  const [passwd, group] = await Promise.all([readAll(files[0], '/etc/passwd'), readAll(files[1], '/etc/group')])
  const { user = { uid: 0, gid: 0 }, additionalGroups = [] } = spec
  const extra = getAdditionalGroups(additionalGroups, group, 'process.additionalGroups')
  const found =
    typeof user === 'string'
      ? getExecUser(user, {}, passwd, group, 'process.user')
      : { uid: user.uid, gid: user.gid ?? 0, groups: [] as readonly number[], home: undefined }

  checkMapped(maps, { uid: found.uid, gid: found.gid, groups: extra })
  const home = variable(environment(spec), 'HOME') || found.home || findUser(passwd, found.uid)?.home || '/'
  return {
    integers: { uid: found.uid, gid: found.gid },
    bytes: { groups: groupBytes([...new Set([...found.groups, ...extra])]), home: nulTerminated([`HOME=${home}`]) },
  }
}

async function readAll(file: AskedFile, path: string): Promise<Uint8Array> {
  if (file === undefined) return new Uint8Array(0)
  if (file instanceof Uint8Array) return file
  try {
    let bytes = new Uint8Array(4096)
    for (let size = 0; ; ) {
      const got = await readFd(file.fd, bytes.subarray(size))
      size += got
      if (got === 0) return bytes.subarray(0, size)
      if (size > MAX_FILE) throw new ConfigInvalid('rootfs', path, `holds a file larger than ${MAX_FILE} bytes`)
      if (size === bytes.length) {
        const larger = new Uint8Array(size * 4)
        larger.set(bytes)
        bytes = larger
      }
    }
  } finally {
    file.close()
  }
}
