import {
  ConfigInvalid,
  exists,
  LibcontainerError,
  listDirectory,
  type OwnedFd,
  readBytes,
  stat,
} from '@libcontainer/sys'
import { entriesOf } from './image-file.js'
import { bool, decodeMessage, uint32 } from './protobuf.js'

/** IMG_COMMON_MAGIC and PAGEMAP_MAGIC of CRIU. */
const PAGEMAP = [0x54564319, 0x56084025]
const head = { pagesId: uint32(1) }
const entry = { nrPages: uint32(2), inParent: bool(3), flags: uint32(4) }
/** Of an entry's flags: the pages are in this image. */
const PE_PRESENT = 4
/** The smallest page that there is: a lower bound where they are larger. */
const PAGE = 4096

/** Which file of pages a map means, and how many bytes it has to have at least. Pure. @throws {LibcontainerError} `EPROTO` */
export function pagesOf(pagemap: Uint8Array): { readonly id: number | undefined; readonly bytes: number } {
  const [first, ...entries] = entriesOf(pagemap, PAGEMAP)
  const counts = entries.map(bytes => {
    const { nrPages = 0, inParent = false, flags } = decodeMessage(entry, bytes)
    // Older ones say only what is elsewhere.
    return (flags === undefined ? !inParent : (flags & PE_PRESENT) !== 0) ? nrPages : 0
  })
  const id = first === undefined ? undefined : decodeMessage(head, first).pagesId
  return { id, bytes: PAGE * counts.reduce((sum, count) => sum + count, 0) }
}

/**
 * Refuses images whose memory is cut off: CRIU would read behind the end of a file again and again, for ever.
 *
 * @throws {ConfigInvalid} that names the file
 */
export async function checkPages(imagesDir: string, images: OwnedFd): Promise<void> {
  const at = { at: images }
  const maps = (await listDirectory('.', at)).map(({ name }) => name).filter(name => /^pagemap-.*\.img$/.test(name))
  for (const map of maps) {
    const { id, bytes } = await read(map)
    if (id === undefined || bytes === 0) continue
    const name = `pages-${id}.img`
    const size = (await exists(name, at)) ? (await stat(name, at)).size : undefined
    if (size === undefined || size < bytes)
      throw damaged(size === undefined ? `${name} is not there` : `${name} has ${size} of ${bytes} bytes`)
  }

  async function read(map: string) {
    try {
      return pagesOf(await readBytes(map, at))
    } catch (error) {
      if (!(error instanceof LibcontainerError) || error.code !== 'EPROTO') throw error
      throw damaged(`${map}: ${error.message}`)
    }
  }

  function damaged(problem: string): ConfigInvalid {
    return new ConfigInvalid('imagesDir', imagesDir, `must hold a whole dump: ${problem}`, {
      hint: 'the images are damaged, or not all of them are there: take an earlier dump',
    })
  }
}
