import { ConfigInvalid, kernelString } from '@libcontainer/sys'

/** What one write to /proc can have. */
const MAX_SIZE = 4000

/**
 * The name of a profile, as a config has it: `docker-default`, `:namespace:profile`, `unconfined`; with `&` before it, it is stacked on what confines the
 * process already.
 *
 * @throws {ConfigInvalid} for what can be none
 */
export function checkProfileName(name: unknown, field = 'profile'): string {
  const text = kernelString(name as string, field)
  const bare = text.startsWith('&') ? text.slice(1) : text
  if (bare === '') throw new ConfigInvalid(field, name, 'must name a profile')
  if (text.length > MAX_SIZE) throw new ConfigInvalid(field, name, `must have at most ${MAX_SIZE} characters`)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a name with a line end would end the kernel's command
  if (/[\x00-\x1f\x7f]/.test(text)) throw new ConfigInvalid(field, name, 'must have no control characters')
  return text
}
