import { onAbort, type Waiting } from '@libcontainer/sys'

/**
 * Takes one after another, and acts on each without waiting for those before it.
 *
 * @param next - `undefined` at the end
 * @param act - may fail before it is done: then nothing more is taken
 * @throws the reason of the signal, or what `act` threw first: when everything that was begun is done
 */
export async function serveEach<T>(
  next: (waiting: Waiting) => Promise<T | undefined>,
  act: (item: T, fail: (error: unknown) => void) => void | Promise<void>,
  { signal }: Waiting,
): Promise<void> {
  const stop = new AbortController()
  const done = onAbort(signal, () => stop.abort(signal?.reason))
  const open = new Set<Promise<void>>()
  let failure: { readonly error: unknown } | undefined
  const fail = (error: unknown): void => {
    failure ??= { error }
    stop.abort(error)
  }
  const begin = async (item: T): Promise<void> => await act(item, fail)
  try {
    for (
      let item = await next({ signal: stop.signal });
      item !== undefined;
      item = await next({ signal: stop.signal })
    ) {
      const acting = begin(item)
        .catch(fail)
        .finally(() => open.delete(acting))
      open.add(acting)
    }
  } catch (error) {
    fail(error)
  }
  done()
  await Promise.all(open)
  if (failure !== undefined) throw failure.error
}
