import { decodeUtf8 } from '../utf8.js'

/**
 * The fields of a line of the audit log, or of the kernel's, by their names: `key=value`, `key="value"`. Pure.
 *
 * @param hexadecimal - fields that the kernel tells in hexadecimal, without quotes, where they have a space or a byte beyond ASCII
 */
export function auditFields(line: string, hexadecimal: ReadonlySet<string>): Record<string, string> {
  const value = (text: string, key: string): string => {
    if (text.startsWith('"')) return text.slice(1, -1)
    if (!hexadecimal.has(key) || text.length % 2 !== 0 || !/^[0-9A-F]+$/.test(text)) return text
    return decodeUtf8(Uint8Array.from(text.match(/../g) ?? [], digits => Number.parseInt(digits, 16)))
  }
  const found = [...line.matchAll(/(\w+)=("[^"]*"|[^\s"]+)/g)]
  return Object.fromEntries(found.map(([, key, text]) => [key!, value(text!, key!)]))
}
