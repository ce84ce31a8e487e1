// What the tests of one world tell, line by line, as numbers and as what to say.

/**
 * @param {object} options
 * @param {string} options.name - of the world
 * @param {boolean} options.verbose - say each test
 * @param {boolean} options.partial - a file may have no tests that were asked for
 * @param {(text: string) => void} options.say
 * @param {() => string} options.elapsed
 */
export function outcomeOf({ name, verbose, partial, say, elapsed }) {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  const failures = []
  const unsteady = []
  const leftOut = new Map()
  let file = 'the boot'
  let running
  let ended = true
  let told = 0

  const failed = (test, why) => {
    counts.failed++
    failures.push({ name: `${name}: ${test}`, error: why })
    say(`FAILED ${test}\n${why.replace(/^/gm, '    ')}`)
  }
  // A file that does not come to its end is a failure, of the test that it was at.
  const close = () => {
    if (ended && file !== 'the boot' && told === 0 && !partial) failed(file, 'it has no tests')
    if (!ended) failed(`${file}${running ? ` > ${running}` : ''}`, 'the process ended before its tests did')
    running = undefined
    for (const [why, count] of leftOut) say(`left out: ${count === 1 ? 'a test' : `${count} tests`}: ${why}`)
    leftOut.clear()
  }
  const take = ({ file: begun, name: test, outcome, ms, errors = [], again = [], why }) => {
    if (begun !== undefined) {
      close()
      file = begun
      ended = false
      told = 0
      say(
        `${file
          .split('/')
          .at(-1)
          .replaceAll('+', '/')
          .replace(/\.mjs$/, '.ts')}  (${elapsed()})`,
      )
    } else if (outcome === 'started') running = test
    else if (outcome === 'end') ended = true
    else {
      running = undefined
      told++
      if (outcome === 'failed') failed(test, [...errors, ...again].join('\n'))
      else counts[outcome]++
      if (outcome === 'passed' && errors.length > 0)
        unsteady.push({ name: `${name}: ${test}`, error: errors.join('\n') })
      if (why) leftOut.set(why, (leftOut.get(why) ?? 0) + 1)
      if (verbose) say(`${outcome} ${test}${ms === undefined ? '' : `, ${ms} ms`}`)
    }
  }
  const stdout = lines(line => (line.startsWith('\x1e') ? take(JSON.parse(line.slice(1))) : say(line)))
  const stderr = lines(say)
  return {
    counts,
    failures,
    unsteady,
    stdout: stdout.add,
    stderr: stderr.add,
    /** Where it is. */
    get file() {
      return file
    },
    failed,
    end() {
      stdout.end()
      stderr.end()
      close()
    },
  }
}

/** Hands on whole lines, and at the end what is left of one: the last words of what died. */
function lines(take) {
  let rest = ''
  return {
    add(text) {
      const found = (rest + text).split('\n')
      rest = found.pop()
      for (const line of found) take(line)
    },
    end() {
      if (rest !== '') take(rest)
    },
  }
}
