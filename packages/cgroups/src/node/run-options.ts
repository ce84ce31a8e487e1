import { type ParseArgsConfig, parseArgs } from 'node:util'
import { ConfigInvalid } from '@libcontainer/sys'
import type { Limits } from '../limits/limits.js'
import { UsageError } from './usage-error.js'
import { parseCount, parseDuration, parseSize } from './words.js'

const flags = {
  memory: { type: 'string' },
  'memory-high': { type: 'string' },
  swap: { type: 'string' },
  pids: { type: 'string' },
  cpus: { type: 'string' },
  'cpu-weight': { type: 'string' },
  cpuset: { type: 'string' },
  'io-weight': { type: 'string' },
  set: { type: 'string', multiple: true },
  timeout: { type: 'string' },
  'kill-signal': { type: 'string' },
  path: { type: 'string' },
  leaf: { type: 'boolean' },
  optional: { type: 'boolean' },
  json: { type: 'boolean' },
  quiet: { type: 'boolean', short: 'q' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies ParseArgsConfig['options']

export interface RunRequest {
  readonly limits: Limits
  readonly command: readonly string[]
  readonly timeout: number | undefined
  readonly killSignal: string | undefined
  readonly path: string | undefined
  readonly leaf: boolean
  readonly optional: boolean
  readonly json: boolean
  readonly quiet: boolean
  readonly help: boolean
}

/** What `run` was asked for. The command begins at the first word that is no option, or after `--`. Pure. */
export function parseRun(words: readonly string[]): RunRequest {
  // Its own options are the command's, not ours: what they are is not asked here.
  const { tokens } = parseArgs({
    args: [...words],
    options: flags,
    allowPositionals: true,
    strict: false,
    tokens: true,
  })
  const first = tokens.find(({ kind }) => kind === 'positional' || kind === 'option-terminator')
  const end = first?.index ?? words.length
  const { values } = parseStrictly(words.slice(0, end))
  const command = words.slice(first?.kind === 'option-terminator' ? end + 1 : end)
  if (command.length === 0 && !values.help) throw new UsageError('there is no command to run')
  return {
    limits: limitsOf(values),
    command,
    timeout: values.timeout === undefined ? undefined : parseDuration('--timeout', values.timeout),
    killSignal: values['kill-signal'],
    path: values.path,
    leaf: values.leaf ?? false,
    optional: values.optional ?? false,
    json: values.json ?? false,
    quiet: values.quiet ?? false,
    help: values.help ?? false,
  }
}

function parseStrictly(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: flags })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

type Values = ReturnType<typeof parseStrictly>['values']

/** Of a tenth of a second, which is the kernel's own. */
const PERIOD_US = 100_000

function limitsOf(values: Values): Limits {
  const { memory, swap, pids, cpus, cpuset } = values
  const high = values['memory-high']
  const weight = values['cpu-weight']
  const ioWeight = values['io-weight']
  const unified = values.set?.map(parseSet)
  return {
    ...((memory ?? high ?? swap) !== undefined && {
      memory: {
        max: memory === undefined ? undefined : parseSize('--memory', memory),
        high: high === undefined ? undefined : parseSize('--memory-high', high),
        swapMax: swap === undefined ? undefined : parseSize('--swap', swap),
      },
    }),
    ...(pids !== undefined && { pids: { max: parseCount('--pids', pids) } }),
    ...((cpus ?? weight) !== undefined && {
      cpu: {
        ...(cpus !== undefined && { quotaUs: quotaOf(cpus), periodUs: PERIOD_US }),
        ...(weight !== undefined && { weight: numberOf('--cpu-weight', weight) }),
      },
    }),
    ...(cpuset !== undefined && { cpuset: { cpus: cpuset } }),
    ...(ioWeight !== undefined && { io: { weight: numberOf('--io-weight', ioWeight) } }),
    ...(unified !== undefined && { unified: Object.fromEntries(unified) }),
  }
}

function quotaOf(text: string): number | 'max' {
  if (text === 'max') return text
  const cpus = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN
  // The kernel gives no less than a millisecond of each period.
  if (cpus >= 0.01 && cpus <= 10_000) return Math.round(cpus * PERIOD_US)
  throw new ConfigInvalid('--cpus', text, 'must be a number of processors such as 2 or 0.5, from 0.01 on, or max')
}

function numberOf(field: string, text: string): number {
  const value = parseCount(field, text)
  if (value === 'max') throw new ConfigInvalid(field, text, 'must be a whole number')
  return value
}

function parseSet(text: string): [file: string, value: string] {
  const at = text.indexOf('=')
  if (at < 1) throw new ConfigInvalid('--set', text, 'must be FILE=VALUE, such as memory.high=64M')
  return [text.slice(0, at), text.slice(at + 1)]
}
