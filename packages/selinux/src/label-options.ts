import { ConfigInvalid } from '@libcontainer/sys'
import { type Context, formatContext, parseContext } from './context.js'
import { parseRange } from './level.js'

/** What options say of a container's labels. */
export interface LabelOptions {
  /** Whether it is to have no labels of its own. */
  readonly disable: boolean
  /** Of its processes. */
  readonly process: Partial<Context>
  /** Of its files. */
  readonly file: Partial<Context>
}

const NAMES = ['user', 'role', 'type', 'level', 'filetype'] as const
const REMEDY = `must be disable, or one of ${NAMES.join(', ')} with : and a value`

/**
 * Reads options such as `type:container_t`, `level:s0:c1,c2`, `filetype:container_file_t`, `disable`; `label:` or `label=` before them is passed over, and `=`
 * is as good as `:`. Pure.
 *
 * @throws {ConfigInvalid} for anything else
 */
export function parseLabelOptions(options: readonly string[], field = 'options'): LabelOptions {
  const process: Record<string, string> = {}
  const file: Record<string, string> = {}
  let disable = false
  options.forEach((option, i) => {
    const where = `${field}[${i}]`
    if (typeof option !== 'string') throw new ConfigInvalid(where, option, REMEDY)
    const bare = option.replace(/^label[:=]/, '')
    if (bare === 'disable') {
      disable = true
      return
    }
    const [, name = '', value = ''] = /^([a-z]+)[:=](.*)$/s.exec(bare) ?? []
    if (!NAMES.includes(name as (typeof NAMES)[number]) || value === '') throw new ConfigInvalid(where, option, REMEDY)
    if (name === 'level') parseRange(value, where)
    else formatContext({ user: 'u', role: 'r', type: 't', [name === 'filetype' ? 'type' : name]: value }, where)
    if (name === 'filetype') file.type = value
    else process[name] = value
    if (name === 'level' || name === 'user') file[name] = value
  })
  return { disable, process, file }
}

/**
 * The options by which another container gets the label of this one: `label:user:…`, `label:role:…`, `label:type:…`, `label:level:…`. None for an empty label.
 * Pure.
 *
 * @throws {ConfigInvalid} for what is no context
 */
export function dupSecOpt(label: string): string[] {
  if (label === '') return []
  const { user, role, type, level } = parseContext(label)
  const parts = { user, role, type, ...(level === undefined ? {} : { level }) }
  return Object.entries(parts).map(([name, value]) => `label:${name}:${value}`)
}

/** The option by which a container has no labels of its own. Pure. */
export const disableSecOpt = (): string[] => ['label:disable']
