/** The names of drivers by the major numbers that they have; several drivers can share one. */
export interface Drivers {
  readonly character: ReadonlyMap<number, readonly string[]>
  readonly block: ReadonlyMap<number, readonly string[]>
}

/** The text of /proc/devices: proc_devices(5). */
export function parseDrivers(text: string): Drivers {
  const [characters = '', blocks = ''] = text.split(/^Block devices:$/m)
  return { character: byMajor(characters), block: byMajor(blocks) }
}

function byMajor(lines: string): Map<number, string[]> {
  const names = new Map<number, string[]>()
  for (const [, digits, name] of lines.matchAll(/^[ \t]*(\d+)[ \t]+(\S+)$/gm)) {
    const major = Number(digits)
    names.set(major, [...(names.get(major) ?? []), name!])
  }
  return names
}
