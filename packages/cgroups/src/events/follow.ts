import { checked, later } from '@libcontainer/sys'
import type { Place } from '../host/place.js'
import { readFilesNow, readSoon } from '../read.js'
import { watchFiles } from './watch.js'

/** What is to be done with what the files say. */
export interface Follower {
  /** The texts when following begins: there is nothing to tell yet. @returns whether to look again although nobody has told of a change */
  first(texts: readonly string[]): boolean | undefined
  /** The texts after a change. @returns milliseconds after which to look again in the same way */
  next(texts: readonly string[]): number | undefined
  gone(): void
  failed(error: unknown): void
}

/**
 * Reads files of a cgroup whenever the kernel says that one has changed. What many cgroups have to tell at once is read by one call.
 *
 * @returns how to stop it
 * @throws {SyscallError} `ENOENT` when the cgroup is gone
 */
export function follow(place: Place, names: readonly string[], follower: Follower): () => void {
  const files = names.map(file => ({ place, file }))
  const over = new AbortController()
  let reading = false
  let changed = false
  let gone = false
  let forget = (): void => undefined

  const look = async (): Promise<void> => {
    changed = true
    if (reading) return
    reading = true
    try {
      while (changed && !over.signal.aborted) {
        changed = false
        forget()
        const texts = await Promise.all(files.map(readSoon))
        // It is being removed, which is told soon.
        if (over.signal.aborted || !texts.every(text => typeof text === 'string')) continue
        const again = follower.next(texts)
        if (again !== undefined && !gone) forget = later(again, () => void look(), { weak: true })
      }
    } catch (error) {
      if (!over.signal.aborted) follower.failed(error)
    } finally {
      reading = false
      if (gone && !over.signal.aborted) follower.gone()
    }
  }

  const stop = watchFiles(place, names, {
    changed: () => void look(),
    gone: () => {
      gone = true
      forget()
      if (!reading) follower.gone()
    },
    failed: error => follower.failed(error),
  })
  try {
    const texts = readFilesNow(files)
    for (const [i, text] of texts.entries())
      if (typeof text === 'number') checked(text, 'read', `${place.directory}/${names[i]}`)
    if (follower.first(texts as string[])) void look()
  } catch (error) {
    stop()
    throw error
  }
  return () => {
    over.abort()
    forget()
    stop()
  }
}
