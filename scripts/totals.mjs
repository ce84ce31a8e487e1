// Adds up what suites report. usage: totals.mjs [--to FILE] REPORT.json… [name=passed|failed|skipped]…
// A report is of vitest's json reporter, or what `--to` wrote. The last line printed is `N passed, N failed, N skipped`.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { to: { type: 'string' } } })
const totals = { passed: 0, failed: 0, skipped: 0 }

for (const argument of positionals) {
  const found = argument.endsWith('.json') ? read(argument) : single(argument)
  for (const kind of Object.keys(totals)) totals[kind] += found[kind]
}
if (values.to) {
  mkdirSync(dirname(values.to), { recursive: true })
  writeFileSync(values.to, `${JSON.stringify(totals)}\n`)
}
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)

function single(argument) {
  const kind = argument.slice(argument.lastIndexOf('=') + 1)
  if (!(kind in totals)) throw new Error(`no such outcome: ${argument}`)
  return { passed: 0, failed: 0, skipped: 0, [kind]: 1 }
}

/** A report that a suite did not come to write is a failure. */
function read(file) {
  let report
  try {
    report = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    console.error(`${file}: ${error.message}`)
    return single('report=failed')
  }
  return 'testResults' in report ? ofVitest(report) : report
}

/** A file that fails without any failing test (it does not load, say) counts as one test that failed. */
function ofVitest({ testResults, numPassedTests, numFailedTests, numPendingTests, numTodoTests, success }) {
  const broken = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some(test => test.status === 'failed'),
  ).length
  const failed = numFailedTests + broken
  return { passed: numPassedTests, failed: success || failed > 0 ? failed : 1, skipped: numPendingTests + numTodoTests }
}
