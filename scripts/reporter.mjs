// A reporter of vitest: writes { passed, failed, skipped, failures, unsteady } to the file that TEST_REPORT names, for totals.mjs. A test is unsteady that
// failed and passed when it was tried again: it counts as passed, and is listed with its failure.
// What no test answers for, a rejection that nobody handled or a worker that did not end, fails a run: so it counts as a failure here, where
// vitest's own JSON does not know of it. Where a process that runs a file dies, vitest says so and not in which file: that is the one that has no result.
import { subscribe } from 'node:diagnostics_channel'
import { writeFileSync } from 'node:fs'

const [MESSAGE, STACK] = [600, 4]
const none = { message: 'has no result' }

/** How vitest's processes ended that did not end well: it says that one did, and not by what. */
const ends = []
subscribe('child_process', ({ process: child }) => {
  child.once('exit', (code, signal) => {
    if (code !== 0) ends.push(`process ${child.pid} ended with ${signal ?? code}`)
  })
})

export default class {
  onTestRunEnd(modules, unhandled, reason) {
    const outcomes = { passed: 0, failed: 0, skipped: 0 }
    const failures = []
    const unsteady = []
    const fail = (name, errors) => {
      outcomes.failed++
      failures.push({ name, error: errors.map(told).join('\n') })
    }
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state, errors } = test.result()
        if (state === 'failed') fail(`${module.relativeModuleId} > ${test.fullName}`, errors)
        else if (state === 'pending') fail(`${module.relativeModuleId} > ${test.fullName}`, [none])
        else outcomes[state === 'passed' ? 'passed' : 'skipped']++
        if (state === 'passed' && test.diagnostic()?.retryCount > 0)
          unsteady.push({ name: `${module.relativeModuleId} > ${test.fullName}`, error: errors.map(told).join('\n') })
      }
      if (['pending', 'queued'].includes(module.state())) fail(`${module.relativeModuleId} > file`, [none])
      // A file that does not load, and hooks around tests.
      for (const suite of [module, ...module.children.allSuites()])
        if (suite.errors().length > 0) fail(`${module.relativeModuleId} > ${suite.fullName ?? 'file'}`, suite.errors())
    }
    for (const error of unhandled)
      fail(`outside of a test${error.VITEST_TEST_NAME ? `, in ${error.VITEST_TEST_NAME}` : ''}`, [error])
    if (unhandled.length > 0) for (const message of ends) failures.push({ name: message, error: '' })
    if (reason !== 'passed' && outcomes.failed === 0) fail(`the run: ${reason}`, [])
    writeFileSync(process.env.TEST_REPORT, JSON.stringify({ ...outcomes, failures, unsteady }))
  }
}

/** Its message, where it comes from, and the same of its cause. */
function told({ message, stack = '', cause }) {
  const places = stack.split('\n').filter(line => /^\s+at /.test(line))
  const because = cause?.message ? [`cause: ${told(cause)}`] : []
  return [message.slice(0, MESSAGE), ...places.slice(0, STACK), ...because].join('\n')
}
