import { ConfigInvalid } from '@libcontainer/sys'
import type { QdiscKind } from '../qdisc/kinds/kind.js'

/**
 * The kind and its options: of kinds that are known they stand in a field of the kind's name (`netem: { delayUs: 100_000 }`), and of all others in
 * `options`, encoded.
 */
export type OfKind<Kinds> = { [K in keyof Kinds]?: Kinds[K] | undefined } & {
  kind: string
  /** Attributes of a kind that this package does not know. */
  options?: Uint8Array | undefined
}

/** {@link OfKind}, of which `kind` may be left out where a field has its name. */
export type KindSpec<Kinds> = Omit<OfKind<Kinds>, 'kind'> & { kind?: string | undefined }

type Table<Kinds> = { readonly [K in keyof Kinds]: QdiscKind<Kinds[K]> }

/** The kind that is asked for, and its options as bytes. @throws {ConfigInvalid} for none, for several, and for what one cannot have */
export function encodeKind<Kinds extends object>(
  table: Table<Kinds>,
  spec: KindSpec<Kinds>,
): { kind: string; options: Uint8Array | undefined } {
  const given = (Object.keys(table) as (keyof Kinds & string)[]).filter(name => fieldOf(spec, name) !== undefined)
  const kind = spec.kind ?? given[0]
  if (kind === undefined || kind === '')
    throw new ConfigInvalid('kind', spec.kind, `must be given, or one of ${Object.keys(table).join(', ')}`)
  const other = given.find(name => name !== kind)
  if (other !== undefined)
    throw new ConfigInvalid(other, fieldOf(spec, other), `must not be given for the kind ${kind}`)
  if (!Object.hasOwn(table, kind)) return { kind, options: spec.options }
  if (spec.options !== undefined)
    throw new ConfigInvalid(
      'options',
      spec.options.length,
      `must not be given: those of ${kind} stand in the field ${kind}`,
    )
  const name = kind as keyof Kinds & string
  const options = fieldOf(spec, name) as Kinds[typeof name] | undefined
  return { kind, options: table[name].encode(options ?? ({} as Kinds[typeof name]), name) }
}

/** What the kernel tells of a kind. */
export function decodeKind<Kinds extends object>(
  table: Table<Kinds>,
  kind: string,
  options: Uint8Array | undefined,
): OfKind<Kinds> {
  if (options === undefined) return { kind } as OfKind<Kinds>
  if (!Object.hasOwn(table, kind)) return { kind, options } as OfKind<Kinds>
  return { kind, [kind]: table[kind as keyof Kinds].decode(options) } as { kind: string } as OfKind<Kinds>
}

const fieldOf = (spec: object, name: string): unknown => (spec as Record<string, unknown>)[name]
