import { ConfigInvalid, kernelString } from '@libcontainer/sys'

/** A security context: `user:role:type:level`. */
export interface Context {
  readonly user: string
  readonly role: string
  readonly type: string
  /** A level or range, such as `s0:c1,c2` or `s0-s0:c0.c1023`; none where the policy has no MLS. */
  readonly level?: string | undefined
}

/** What one write to the kernel can have. */
const MAX_SIZE = 4000

/**
 * Reads a context. The level keeps its colons. Pure.
 *
 * @param field - what an error calls it
 * @throws {ConfigInvalid} for fewer than three parts, an empty one, blanks and control characters
 */
export function parseContext(text: string, field = 'label'): Context {
  kernelString(text, field)
  const [user, role, type, ...level] = text.split(':')
  if (user === undefined || role === undefined || type === undefined)
    throw new ConfigInvalid(field, text, 'must be user:role:type or user:role:type:level')
  if (text.length > MAX_SIZE) throw new ConfigInvalid(field, text, `must have at most ${MAX_SIZE} characters`)
  const context = { user, role, type, ...(level.length === 0 ? {} : { level: level.join(':') }) }
  checkParts(context, field, text)
  return context
}

/** A context as the kernel writes it. Pure. @throws {ConfigInvalid} for a part that is empty, or that would end early */
export function formatContext({ user, role, type, level }: Context, field = 'context'): string {
  for (const [name, part] of Object.entries({ user, role, type }))
    if (typeof part !== 'string' || part.includes(':'))
      throw new ConfigInvalid(`${field}.${name}`, part, 'must be a name without colons')
  checkParts({ user, role, type, level }, field, undefined)
  return [user, role, type, ...(level === undefined ? [] : [level])].join(':')
}

function checkParts(context: Context, field: string, whole: string | undefined): void {
  for (const [name, part] of Object.entries(context)) {
    if (part === undefined) continue
    const [where, shown] = whole === undefined ? [`${field}.${name}`, part] : [field, whole]
    if (part === '') throw new ConfigInvalid(where, shown, `must have ${name === 'user' ? 'a user' : `a ${name}`}`)
    if (!isPart(kernelString(part, where)))
      throw new ConfigInvalid(where, shown, `must have no blanks, quotes or control characters in its ${name}`)
  }
}

/** Quotes would end the value of a mount's option. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const isPart = (text: string): boolean => !/[\x00-\x20\x7f"'\\]/.test(text)

/** The kinds of labels that a mount takes: mount(8), under SELinux. */
export const MOUNT_LABEL_KINDS = ['context', 'fscontext', 'defcontext', 'rootcontext'] as const
export type MountLabelKind = (typeof MOUNT_LABEL_KINDS)[number]

/**
 * A mount's data with a label: `mode=755,context="…"`. The quotes keep the commas of its categories together. Pure.
 *
 * @param label - with an empty one the data stays as it is
 * @param kind - `context` labels all that is in it, whatever attributes say. Default: that
 * @throws {ConfigInvalid} for what is no context, or no kind
 */
export function formatMountLabel(data: string, label: string, kind: MountLabelKind = 'context'): string {
  if (!MOUNT_LABEL_KINDS.includes(kind))
    throw new ConfigInvalid('kind', kind, `must be one of ${MOUNT_LABEL_KINDS.join(', ')}`)
  if (label === '') return data
  parseContext(label)
  const option = `${kind}="${label}"`
  return data === '' ? option : `${data},${option}`
}
