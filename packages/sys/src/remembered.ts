/**
 * What `make` answers, asked for once: whoever comes later, or meanwhile, gets the same. A failure is not kept, and the next one asks again.
 */
export function remembered<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    if (made === undefined) {
      made = make()
      made.catch(() => {
        made = undefined
      })
    }
    return made
  }
}
