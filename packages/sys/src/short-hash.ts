import { encodeUtf8 } from './utf8.js'

/** FNV-1a of 64 bits, as 16 hexadecimal digits: for names of files. Who can choose the text can have two of one hash. */
export function shortHash(text: string): string {
  let hash = 0xcbf29ce484222325n
  for (const byte of encodeUtf8(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return hash.toString(16).padStart(16, '0')
}
