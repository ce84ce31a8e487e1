import { LibcontainerError, listDirectory, openDirectory, readBytes } from '@libcontainer/sys'
import { entriesOf } from './image-file.js'
import { decodeMessage, required, string, uint32 } from './protobuf.js'

/** A mount of a dumped mount namespace. */
export interface ImageMount {
  readonly id: number
  /** The mount that it is on. */
  readonly parent: number
  /** Absolute, in the namespace. */
  readonly mountPoint: string
  /** What of its file system is shown. */
  readonly root: string
  /** By what a restore is told what to mount, of one that came from outside. */
  readonly key: string | undefined
}

const entry = {
  mntId: required(uint32(2)),
  parentMntId: required(uint32(4)),
  root: required(string(6)),
  mountpoint: required(string(7)),
  extKey: string(18),
}

/** IMG_COMMON_MAGIC and MNTS_MAGIC of CRIU. */
const MAGIC = [0x54564319, 0x55563928]

/** Reads a file `mountpoints-*.img`. Pure. @throws {LibcontainerError} `EPROTO` for what is none, or is cut off */
export function parseMounts(bytes: Uint8Array): ImageMount[] {
  return Array.from(entriesOf(bytes, MAGIC), image => {
    const { mntId, parentMntId, mountpoint, root, extKey } = decodeMessage(entry, image)
    return { id: mntId, parent: parentMntId, mountPoint: mountpoint, root, key: extKey }
  })
}

/** The mounts of the first mount namespace in a directory of images: those of a tree that has one alone. @throws {LibcontainerError} `EPROTO` */
export async function readMounts(imagesDir: string): Promise<ImageMount[]> {
  const at = await openDirectory(imagesDir)
  try {
    const names = (await listDirectory('.', { at })).map(({ name }) => name)
    const [first] = names.filter(name => /^mountpoints-\d+\.img$/.test(name)).sort(byNumber)
    if (first === undefined) throw new LibcontainerError('EPROTO', `${imagesDir} holds no mounts of a CRIU image`)
    return parseMounts(await readBytes(first, { at }))
  } finally {
    at.close()
  }
}

const byNumber = (a: string, b: string): number => Number(/\d+/.exec(a)) - Number(/\d+/.exec(b))
