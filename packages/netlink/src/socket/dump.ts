import type { NetlinkRequest } from '../message/message.js'
import { messagesOf, type NetlinkMessage } from '../message/wire.js'
import { type Carriers, giveBack, Pass } from './pass.js'

export interface DumpRequest<T> extends NetlinkRequest {
  /** Makes an entry of a message, whose payload is only there during the call; `undefined` leaves it out. */
  readonly map: (message: NetlinkMessage) => T | undefined
  /** The errno by which the kernel says that there are none. */
  readonly none?: number | undefined
}

/** Entries as they come. Ask for them once. */
export interface Dump<T> extends AsyncIterable<T> {
  /** The kernel's table has changed meanwhile: entries may be missing, or there twice. Known when the last has come. */
  readonly interrupted: boolean
}

/** All entries; `interrupted` where the table has changed during each of several attempts. */
export type DumpedList<T> = T[] & { readonly interrupted: boolean }

/** How often a table is asked for that changes meanwhile. */
export const ATTEMPTS = 5

/** All entries. A table that changes while it is dumped is dumped again. */
export async function dumpToList<T>(
  carriers: Carriers,
  request: DumpRequest<T>,
  signal: AbortSignal,
): Promise<DumpedList<T>> {
  for (let attempt = 1; ; attempt++) {
    const carrier = await carriers.take(signal)
    const pass = new Pass(carrier, request, signal)
    const entries: T[] = []
    try {
      for (let batch = await pass.next(); batch !== undefined; batch = await pass.next())
        for (const message of messagesOf(batch)) {
          if (!pass.isEntry(message)) continue
          const entry = request.map(message)
          if (entry !== undefined) entries.push(entry)
        }
    } finally {
      giveBack(carriers, pass)
    }
    if (pass.interrupted && attempt < ATTEMPTS) continue
    return dumpedList(entries, pass.interrupted)
  }
}

/** Marks a list, as no entry of it and nothing that is printed with them. */
export const dumpedList = <T>(entries: T[], interrupted: boolean): DumpedList<T> =>
  Object.defineProperty(entries, 'interrupted', { value: interrupted }) as DumpedList<T>
