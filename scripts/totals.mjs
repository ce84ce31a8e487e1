// Adds up what suites report. usage: totals.mjs [--to FILE] REPORT.json… [name=passed|failed|skipped]…
// A report is of reporter.mjs, of vm/test.mjs, or what `--to` wrote. Prints what failed, and what failed at first; the last line is `N passed, N failed, N skipped`.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { to: { type: 'string' } } })
const totals = { passed: 0, failed: 0, skipped: 0 }
const failures = []
const unsteady = []

for (const argument of positionals) {
  const found = argument.endsWith('.json') ? read(argument) : single(argument)
  for (const kind of Object.keys(totals)) totals[kind] += found[kind]
  failures.push(...found.failures)
  unsteady.push(...(found.unsteady ?? []))
}
if (values.to) {
  mkdirSync(dirname(values.to), { recursive: true })
  writeFileSync(values.to, `${JSON.stringify({ ...totals, failures, unsteady })}\n`)
}
const list = (what, found) => {
  for (const { name, error } of found) console.log(`${what}: ${name}${`\n${error}`.trimEnd().replace(/\n/g, '\n    ')}`)
}
list('passed at the second attempt', unsteady)
list('failed', failures)
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)

function single(argument, error = '') {
  const [name, kind] = [argument.slice(0, argument.lastIndexOf('=')), argument.slice(argument.lastIndexOf('=') + 1)]
  if (!(kind in totals)) throw new Error(`no such outcome: ${argument}`)
  const failed = kind === 'failed' ? [{ name, error }] : []
  return { passed: 0, failed: 0, skipped: 0, [kind]: 1, failures: failed }
}

/** A report that a suite did not come to write is a failure. */
function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    return single(`${file}=failed`, error.message)
  }
}
