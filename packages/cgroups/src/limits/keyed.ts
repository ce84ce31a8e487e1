import { ConfigInvalid, kernelString } from '@libcontainer/sys'

/** What is said for each of some names that the machine gives: devices, page sizes, interfaces. */
export type Keyed<T> = Readonly<Record<string, T>> | ReadonlyMap<string, T>

export const keyedEntries = <T>(values: Keyed<T>): [string, T][] =>
  values instanceof Map ? [...values] : Object.entries(values as Readonly<Record<string, T>>)

/** Checks each entry of a map or object; a name has neither spaces nor line ends, which part the words of a line for the kernel. */
export function checkKeyed(
  field: string,
  value: unknown,
  check: (field: string, value: unknown, key: string) => void,
): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ConfigInvalid(field, value, 'must be an object or a Map')
  }
  for (const [key, one] of keyedEntries(value as Keyed<unknown>)) {
    const at = `${field}['${key}']`
    kernelString(key, at)
    if (key === '' || /[\s/]/.test(key)) throw new ConfigInvalid(at, key, 'must be a name without spaces and slashes')
    if (one !== undefined) check(at, one, key)
  }
}
