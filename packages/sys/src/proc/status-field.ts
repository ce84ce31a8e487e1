/**
 * What a line of /proc/PID/status says, of its first line of this name; `undefined` where there is none. Pure.
 *
 * By line feeds alone, which the kernel escapes in the name that a process gives itself: it lets a carriage return stand, which begins a line to `^` of a
 * regular expression.
 */
export function statusField(status: string, name: string): string | undefined {
  const line = status.split('\n').find(each => each.startsWith(`${name}:`))
  return line?.slice(name.length + 1).trim()
}
