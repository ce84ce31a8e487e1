import type { Finding } from './checks.js'

/** What a doctor finds, for people: a line each, and below what is lacking how to mend it. Pure. */
export function report(heading: string, findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ name }) => name.length))
  const lines = [heading]
  let before: Finding | undefined
  for (const finding of findings) {
    if (finding.subject !== before?.subject) lines.push('', finding.subject)
    lines.push(...linesOf(finding, width, before))
    before = finding
  }
  return `${[...lines, '', summary(findings)].join('\n')}\n`
}

function linesOf(finding: Finding, width: number, before: Finding | undefined): string[] {
  const name = finding.name.padEnd(width)
  if (finding.available) return [`  yes  ${name}  ${finding.detail ?? ''}`.trimEnd()]
  const { reason, hint, loses } = finding
  const lines = [`  no   ${name}  ${reason}`]
  if (loses !== undefined) lines.push(`       ${' '.repeat(width)}  will not work: ${loses}`)
  const same = before?.available === false && before.hint === hint
  if (hint !== undefined) lines.push(`       ${' '.repeat(width)}  fix: ${same ? 'the same' : hint}`)
  return lines
}

function summary(findings: readonly Finding[]): string {
  const lacking = findings.filter(({ available, loses }) => !available && loses !== undefined)
  const fatal = lacking.filter(({ needed }) => needed)
  if (fatal.length > 0) return `Containers do not run here, for want of: ${fatal.map(nameOf).join(', ')}.`
  if (lacking.length === 0) return 'Containers run here, and nothing is missing.'
  return `Containers run here. Missing: ${lacking.map(nameOf).join(', ')}.`
}

const nameOf = ({ subject, name }: Finding): string => `${subject} ${name}`

/** Whether containers run. */
export const works = (findings: readonly Finding[]): boolean =>
  findings.every(({ available, needed }) => available || !needed)
