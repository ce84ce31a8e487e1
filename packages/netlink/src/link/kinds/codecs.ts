import { ConfigInvalid, encodeUtf8, kernelString } from '@libcontainer/sys'
import { addressBytes, formatAddress } from '../../address/text.js'
import type { Codec, FixedCodec } from '../../message/codec.js'
import { needBytes, string } from '../../message/codec.js'
import { MAX_U32, Words } from '../../message/words.js'
import { formatMac, MAC_LENGTH } from '../mac.js'

/** A number of the kernel by its word. One that has no word here, of a younger kernel, is a number both ways. */
export function oneOf<W extends string>(
  codec: FixedCodec<number>,
  words: Readonly<Record<W, number>>,
): FixedCodec<W | number> {
  const table = new Words(words, MAX_U32)
  return {
    ...codec,
    write: (to, value, field) => codec.write(to, table.number(value, field), field),
    read: (view, at, size) => table.word(codec.read(view, at, size)),
  }
}

/** The bits of a mask by their words, in the order of the table. A bit that has none is a number both ways. */
export function anyOf<W extends string>(
  codec: FixedCodec<number>,
  words: Readonly<Record<W, number>>,
): FixedCodec<readonly (W | number)[]> {
  return {
    ...codec,
    write(to, value, field) {
      codec.write(to, maskOf(words, value, field), field)
    },
    read: (view, at, size) => namesOf(words, codec.read(view, at, size)),
  }
}

export function maskOf<W extends string>(
  words: Readonly<Record<W, number>>,
  value: readonly (W | number)[],
  field: string,
): number {
  if (!Array.isArray(value)) throw new ConfigInvalid(field, value, 'must be a list')
  let mask = 0
  for (const [i, word] of (value as readonly (W | number)[]).entries()) {
    const bit = typeof word === 'number' ? word : Object.hasOwn(words, word) ? words[word] : undefined
    if (bit === undefined)
      throw new ConfigInvalid(`${field}[${i}]`, word, `must be one of ${Object.keys(words).join(', ')}`)
    mask |= bit
  }
  return mask >>> 0
}

export function namesOf<W extends string>(words: Readonly<Record<W, number>>, mask: number): readonly (W | number)[] {
  const names: (W | number)[] = []
  let left = mask
  for (const word in words) {
    if ((mask & words[word]) === 0) continue
    names.push(word)
    left &= ~words[word]
  }
  for (let bit = 0; left !== 0; bit++) {
    if ((left & (1 << bit)) !== 0) names.push((1 << bit) >>> 0)
    left &= ~(1 << bit)
  }
  return names
}

/** A number that is 0 or 1, as a boolean. */
export function onOff(codec: FixedCodec<number>): FixedCodec<boolean> {
  return {
    ...codec,
    write(to, value, field) {
      if (typeof value !== 'boolean') throw new ConfigInvalid(field, value, 'must be true or false')
      codec.write(to, value ? 1 : 0, field)
    },
    read: (view, at, size) => codec.read(view, at, size) !== 0,
  }
}

/** What the kernel tells and nobody can set: it would take the attribute and do nothing. */
export function told<T>(codec: Codec<T>): Codec<T> {
  return {
    ...codec,
    write(_, value, field) {
      throw new ConfigInvalid(field, value, 'is told by the kernel, and cannot be set')
    },
  }
}

/** Text without the NUL that ends it: an alias is as long as its attribute. */
export const unterminated: Codec<string> = {
  ...string,
  write(to, value, field) {
    to.append(encodeUtf8(kernelString(value, field)))
  },
}

/** Known, and looked at by nobody: no copy is made of it. */
export const ignored: Codec<undefined> = {
  write(_, value, field) {
    throw new ConfigInvalid(field, value, 'is told by the kernel, and cannot be set')
  },
  read: () => undefined,
}

/** An address of one family: the attributes of the other are others. */
const addressOf = (length: 4 | 16, example: string): Codec<string> => ({
  write(to, value, field) {
    const bytes = typeof value === 'string' ? addressBytes(value) : undefined
    if (bytes?.length !== length)
      throw new ConfigInvalid(field, value, `must be an IPv${length === 4 ? 4 : 6} address such as ${example}`)
    to.append(bytes)
  },
  read(view, at, size) {
    needBytes(size, length)
    return formatAddress(new Uint8Array(view.buffer, at, length))
  },
})
export const ipv4 = addressOf(4, '192.0.2.1')
export const ipv6 = addressOf(16, '2001:db8::1')

/** struct ifla_bridge_id: the priority in four digits and the address, `8000.02:42:ac:11:00:02`. */
export const bridgeId: Codec<string> = told({
  write() {},
  read(view, at, size) {
    needBytes(size, 2 + MAC_LENGTH)
    const mac = formatMac(new Uint8Array(view.buffer, at + 2, MAC_LENGTH))
    return `${view.getUint16(at).toString(16).padStart(4, '0')}.${mac}`
  },
})

/** A protocol of VLAN tags: ETH_P_8021Q and ETH_P_8021AD. */
export const VLAN_PROTOCOLS = { '802.1Q': 0x8100, '802.1ad': 0x88a8 } as const
