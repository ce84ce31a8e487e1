/** One profile of a label. */
export interface ProfileName {
  /** Of the policy; that of the reader where there is none. */
  readonly namespace?: string | undefined
  /** With its parents: `parent//child`. */
  readonly name: string
}

/** What confines a process. */
export interface AppArmorLabel {
  /** As the kernel tells it, without the mode. */
  readonly text: string
  readonly confined: boolean
  /** `enforce`, `complain`, …; `mixed` where stacked profiles differ. */
  readonly mode?: string | undefined
  /** More than one where profiles are stacked: what is done must be allowed by each. */
  readonly profiles: readonly ProfileName[]
}

/** Reads a label: `unconfined`, `docker-default (enforce)`, `a//&:ns:b (mixed)`. Pure. @see apparmor(7) */
export function parseLabel(given: string): AppArmorLabel {
  const line = given.replace(/[\0\n]+$/, '')
  const [, text = line, mode] = /^(.*) \(([a-z]+)\)$/s.exec(line) ?? []
  const profiles = text.split('//&').map(parseProfileName)
  return { text, confined: profiles.some(({ name }) => name !== 'unconfined'), mode, profiles }
}

/** `name`, `:namespace:name` as configs have it, `:namespace://name` as the kernel tells it. Pure. */
export function parseProfileName(text: string): ProfileName {
  const found = /^:([^:]*):(?:\/\/)?(.*)$/s.exec(text)
  return found === null ? { name: text } : { namespace: found[1], name: found[2]! }
}
