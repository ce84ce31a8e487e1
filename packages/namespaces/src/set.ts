import { flagsOf, type NamespaceKind } from './kinds.js'

/** A namespace of a configuration: a new one, or with `path` one that exists. A kind that is not listed is shared with the caller. */
export interface Namespace {
  readonly kind: NamespaceKind
  /** A file of the namespace to join, such as `/proc/4242/ns/net`; absolute. */
  readonly path?: string | undefined
}

/** The namespaces of a container: each kind at most once, in the order in which they were added. */
export class NamespaceSet implements Iterable<Namespace> {
  readonly #paths = new Map<NamespaceKind, string | undefined>()

  constructor(namespaces: Iterable<Namespace> = []) {
    for (const { kind, path } of namespaces) this.add(kind, path)
  }

  /** Adds a kind, or replaces its path when it is there: without one the namespace is made new. */
  add(kind: NamespaceKind, path?: string): this {
    // '' is how JSON of libcontainer says "no path".
    this.#paths.set(kind, path === '' ? undefined : path)
    return this
  }

  /** Whether the kind was there. */
  remove(kind: NamespaceKind): boolean {
    return this.#paths.delete(kind)
  }

  contains(kind: NamespaceKind): boolean {
    return this.#paths.has(kind)
  }

  /** The path to join; `undefined` for a new or an absent kind. */
  pathOf(kind: NamespaceKind): string | undefined {
    return this.#paths.get(kind)
  }

  /** Whether the kind is made new: neither shared with the caller nor joined. */
  isPrivate(kind: NamespaceKind): boolean {
    return this.contains(kind) && this.pathOf(kind) === undefined
  }

  /** Whether an existing one is joined. */
  isJoined(kind: NamespaceKind): boolean {
    return this.pathOf(kind) !== undefined
  }

  /** The flags of those to be made; joined ones have none. */
  cloneFlags(): number {
    return flagsOf([...this.#paths.keys()].filter(kind => this.isPrivate(kind)))
  }

  get size(): number {
    return this.#paths.size
  }

  *[Symbol.iterator](): IterableIterator<Namespace> {
    for (const [kind, path] of this.#paths) yield path === undefined ? { kind } : { kind, path }
  }

  toJSON(): Namespace[] {
    return [...this]
  }
}

/** The `CLONE_NEW…` flags of the namespaces to be made: those without a path. */
export function cloneFlags(namespaces: Iterable<Namespace>): number {
  return new NamespaceSet(namespaces).cloneFlags()
}

/** The file of a process's namespace: `/proc/<pid>/ns/<kind>`. */
export function namespacePath(kind: NamespaceKind, pid: number | 'self' = 'self'): string {
  return `/proc/${pid}/ns/${kind}`
}
