import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

/** The words of the README of 2015 in their order, in this language's spelling; that the program runs is tested with all READMEs. */
const words = [
  'Factory.open',
  'rootfs:',
  'capabilities:',
  "'CHOWN'",
  "'AUDIT_WRITE'",
  'namespaces:',
  'cgroups:',
  'test-container',
  'DEFAULT_ALLOWED_DEVICES',
  'devices:',
  "hostname: 'testing'",
  'rlimits:',
  'hard: 1024, soft: 1024',
  "factory.create('container-id', config)",
  'container.run(',
  'args:',
  'env:',
  "user: 'daemon'",
  'container.processes()',
  'container.stats()',
  'container.pause()',
  'container.resume()',
  '.wait()',
  'container.destroy(',
]

test('MP-04 the example of 2015 is here, word for word but for the language', () => {
  const program = readme.slice(readme.indexOf('## The example of 2015'))
  let at = 0
  for (const word of words) {
    at = program.indexOf(word, at)
    expect(at, word).toBeGreaterThan(0)
  }
})
