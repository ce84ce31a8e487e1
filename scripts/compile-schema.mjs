// Makes packages/oci/src/schema.ts of OCI's own JSON schema in packages/oci/schema: node scripts/compile-schema.mjs
// A test holds the one to the other, so that neither drifts.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../packages/oci/', import.meta.url))
const files = new Map()
const read = name => {
  if (!files.has(name)) files.set(name, JSON.parse(readFileSync(`${folder}schema/${name}`, 'utf8')))
  return files.get(name)
}

/** Sections of other systems: a runtime for Linux does not look at them. */
const FOREIGN = new Set(['solaris', 'windows', 'vm', 'zos', 'freebsd', 'commandLine', 'username'])

/*
 * Where the schema is narrower than the specification's own text, or than what every engine writes and every runtime takes.
 */
const WIDER = {
  // config-linux.md, Memory and PIDs: the limit is optional.
  'pids!limit': 'optional',
  // Without an action and without rules there is no filter: an encoder may write an empty one.
  'seccomp!defaultAction': 'optional',
  'seccomp.defaultAction': words => ['', ...words],
  // The kernel's words for a whole tree, which docker and podman write.
  RootfsPropagation: ['private', 'shared', 'slave', 'unbindable', 'rprivate', 'rshared', 'rslave', 'runbindable'],
  // Engines that copy a node of the host write its st_mode, with the bits of its type.
  FileMode: 'uint32',
}

/** config-linux.md, Offset for Time Namespace: the name of the clock is the key. As a map it keeps a clock that there is none of, to be refused. */
const MAPS = { timeOffsets: 'timeOffset' }

/** Named definitions of the table, by name. */
const table = new Map()

/** @returns the schema that a reference leads to, with the file that its own references start from, and its name */
function follow(ref, file) {
  const [where, pointer] = ref.split('#')
  const target = where === '' ? file : where
  const parts = pointer.replace(/^\//, '').split('/')
  return { schema: parts.reduce((at, part) => at[part], read(target)), file: target, name: parts.at(-1) }
}

/** A schema as an entry of the table. @param name - what a new definition would be called */
function compile(schema, file, name) {
  if (schema.$ref) {
    const target = follow(schema.$ref, file)
    if (/^u?int\d+$/.test(target.name)) return target.name
    if (WIDER[target.name]) return WIDER[target.name]
    // A definition of the same name as the map of it.
    if (target.name === 'TimeOffsets') return define(name, target.schema, target.file)
    return compile(target.schema, target.file, target.name)
  }
  if (schema.anyOf?.length === 1) return compile(schema.anyOf[0], file, name)
  if (schema.allOf) return define(name, merged(schema, file), file)
  if (schema.patternProperties) return { '{}': compile(Object.values(schema.patternProperties)[0], file, name) }
  if (typeof schema.additionalProperties === 'object') {
    return { '{}': compile(schema.additionalProperties, file, name) }
  }
  if (schema.enum) return schema.enum
  if (schema.type === 'array') return { '[]': compile(schema.items, file, singular(name)) }
  if (MAPS[name]) return { '{}': compile(Object.values(schema.properties)[0], file, MAPS[name]) }
  if (schema.type === 'object') return define(name, schema, file)
  if (schema.type === 'integer' && schema.minimum === 1 && schema.maximum === undefined) return 'positive'
  if (schema.pattern) return new RegExp(schema.pattern)
  if (['string', 'boolean', 'integer'].includes(schema.type)) return schema.type
  throw new Error(`${name}: no entry for ${JSON.stringify(schema)}`)
}

const singular = name => name.replace(/s$/, '')

/** The properties of all parts of an `allOf`, each found from its own file. */
function merged({ allOf }, file) {
  const parts = allOf.map(part => (part.$ref ? follow(part.$ref, file).schema : part))
  return {
    properties: Object.assign({}, ...parts.map(part => part.properties)),
    required: parts.flatMap(part => part.required ?? []),
  }
}

function define(name, { properties, required = [] }, file) {
  const key = name[0].toUpperCase() + name.slice(1)
  if (table.has(key)) return key
  const fields = {}
  table.set(key, fields)
  for (const [field, schema] of Object.entries(properties)) {
    if (FOREIGN.has(field)) continue
    const must = required.includes(field) && WIDER[`${name}!${field}`] !== 'optional'
    const type = compile(schema, file, field)
    fields[must ? `${field}!` : field] = WIDER[`${name}.${field}`]?.(type) ?? type
  }
  return key
}

const text = value => {
  if (value instanceof RegExp) return String(value)
  if (Array.isArray(value)) return `[${value.map(text).join(', ')}]`
  if (typeof value === 'string') return `'${value}'`
  const fields = Object.entries(value).map(([key, each]) => `${/^\w+$/.test(key) ? key : `'${key}'`}: ${text(each)}`)
  return `{ ${fields.join(', ')} }`
}

/** The module's text. */
export function compileSchema() {
  files.clear()
  table.clear()
  compile(read('config-schema.json'), 'config-schema.json', 'spec')
  const entries = [...table].sort(([a], [b]) => (a < b ? -1 : 1))
  return `/* Made by scripts/compile-schema.mjs of the official JSON schema in packages/oci/schema. */

/**
 * What a value must be: the name of a definition or of a plain type; a list of words; a pattern; or, in an object, \`[]\` what every part of
 * a list and \`{}\` what every value of a map must be.
 */
export type Type = string | readonly string[] | RegExp | { readonly '[]': Type } | { readonly '{}': Type }

/** The fields of each object; those with \`!\` must be there. */
export const definitions: Readonly<Record<string, Readonly<Record<string, Type>>>> = {
${entries.map(([name, fields]) => `  ${name}: ${text(fields)},`).join('\n')}
}
`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(`${folder}src/schema.ts`, compileSchema())
