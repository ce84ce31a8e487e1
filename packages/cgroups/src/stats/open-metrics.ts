import { ConfigInvalid } from '@libcontainer/sys'

/** The `Content-Type` of {@link formatMetrics}. */
export const OPEN_METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

/** `unknown`: what may be either, as the kernel's own tables mix them. */
export type MetricType = 'counter' | 'gauge' | 'unknown'

/** One number of a family, and what tells it from the others. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number | bigint
}

/** All numbers of one meaning. */
export interface MetricFamily {
  /** Ends with `_` and its unit, where it has one; a counter's samples get their `_total` when they are written. */
  readonly name: string
  readonly type: MetricType
  /** A base unit: `bytes`, `seconds`, `ratio`. */
  readonly unit?: string | undefined
  readonly help: string
  readonly samples: readonly Sample[]
}

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
/** What begins with two underscores is the reader's own. */
const LABEL_NAME = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/

/** @throws {ConfigInvalid} for a name that no metric can have */
export function checkMetricName(name: string, field: string): void {
  if (!METRIC_NAME.test(name))
    throw new ConfigInvalid(field, name, 'must be letters, digits, _ and :, and no digit first')
}

/** @throws {ConfigInvalid} for names that no label can have, and for values that are no text */
export function checkLabels(labels: Readonly<Record<string, string>>, field: string): void {
  for (const [name, value] of Object.entries(labels)) {
    if (!LABEL_NAME.test(name))
      throw new ConfigInvalid(
        `${field}.${name}`,
        value,
        'must have a name of letters, digits and _, neither a digit nor __ first',
      )
    if (typeof value !== 'string') throw new ConfigInvalid(`${field}.${name}`, value, 'must be a string')
  }
}

/** A text in quotes, or a help: one line, whatever is in it. */
const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

function formatValue(value: number | bigint): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return String(value)
}

function formatLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function formatFamily({ name, type, unit, help, samples }: MetricFamily): string[] {
  const sampled = type === 'counter' ? `${name}_total` : name
  return [
    `# TYPE ${name} ${type}`,
    ...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`]),
    `# HELP ${name} ${escaped(help)}`,
    ...samples.map(({ labels, value }) => `${sampled}${formatLabels(labels)} ${formatValue(value)}`),
  ]
}

/** Families in the text format of OpenMetrics 1.0, those without a sample left out. Pure. */
export function formatMetrics(families: readonly MetricFamily[]): string {
  const lines = families.filter(({ samples }) => samples.length > 0).flatMap(formatFamily)
  return [...lines, '# EOF', ''].join('\n')
}
