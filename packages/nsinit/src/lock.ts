import { lockFile, removeFile, stat } from '@libcontainer/sys'
import type { Place } from './place.js'

export interface Lock {
  release(): Promise<void>
}

/**
 * Holds the right to decide about a container: whether it is there to be joined, has to be made, or is to be removed. It ends with the
 * process that holds it, however that ends.
 */
export async function lockContainer({ stateRoot, id }: Pick<Place, 'stateRoot' | 'id'>): Promise<Lock> {
  const path = `${stateRoot}/.${id}.lock`
  for (;;) {
    const file = await lockFile(path)
    // Whoever had it before us has removed the file: another may hold its successor.
    if ((await stat('', { at: file })).links > 0) {
      return {
        async release() {
          if (file.closed) return
          await removeFile(path)
          file.close()
        },
      }
    }
    file.close()
  }
}
