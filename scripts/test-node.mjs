#!/usr/bin/env node
// npm run test:node [-- --others | MAJOR…]: on each line of Node.js that is supported, from one build, the tests in which Node.js itself has a part.
// npm test runs all of them, on the Node.js that it is started with: --others leaves that line out.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { parseArgs } from 'node:util'
import { files, packages } from './bindings.mjs'
import { environment } from './from-tarballs.mjs'
import { majors, nodeOf } from './nodes.mjs'
import { top } from './quietly.mjs'

/** Long ones that need no root, and test C, the static executable, the linter or long computations: the same on all. */
const elsewhere = [
  'packages/sys/test/path.test.ts',
  'packages/sys/test/quickjs.test.ts',
  'packages/libcontainer/test/quickjs.test.ts',
  'packages/cli/test/completion.test.ts',
  'packages/init/test/program.test.ts',
  'packages/seccomp/test/oracle.test.ts',
  'packages/seccomp/test/compile.test.ts',
  'packages/seccomp/test/default-profile.test.ts',
  'test/lint.test.ts',
]
const unit = [...packages.map(name => `packages/${name}/test`), 'test']
  .flatMap(folder => files(folder, /\.test\.ts$/))
  .filter(file => !/\.root\.test\.ts$|^test\/packages\//.test(file) && !elsewhere.includes(file))

const root = [
  // Bindings: loading them, our own threads, promises, streams, signals, and what is collected when.
  'packages/sys/test/process.root.test.ts',
  'packages/console/test/console.root.test.ts',
  'test/import.root.test.ts',
  // Each facility through its binding.
  'packages/namespaces/test/namespaces.root.test.ts',
  'packages/cgroups/test/cgroup.root.test.ts',
  // Children that are started by our hand in the place of Node.js' own.
  'packages/cgroups/test/spawn.root.test.ts',
  'packages/namespaces/test/programs.root.test.ts',
  'packages/capabilities/test/process.root.test.ts',
  'packages/mount/test/host.root.test.ts',
  'packages/devices/test/nodes.root.test.ts',
  'packages/seccomp/test/kernel.root.test.ts',
  // Containers, from clone to exec and to the end, and what people paste.
  'packages/init/test/bootstrap.root.test.ts',
  'packages/container/test/lifecycle.root.test.ts',
  'packages/container/test/operations.root.test.ts',
  'packages/container/test/events.root.test.ts',
  'test/readme.root.test.ts',
]

const { values, positionals } = parseArgs({ allowPositionals: true, options: { others: { type: 'boolean' } } })
const here = process.versions.node.split('.')[0]
const wanted = positionals.length > 0 ? positionals : majors.filter(major => !values.others || major !== here)

function run(major, work) {
  const node = nodeOf(major)
  if (!existsSync(node)) {
    console.error(`Node.js ${major} is absent: node scripts/nodes.mjs fetches it`)
    return { major, reports: [`node-${major}=failed`], passed: false }
  }
  console.log(`\n--- Node.js ${major}`)
  const bin = join(work, `bin-${major}`)
  const temporary = join(work, `tmp-${major}`)
  for (const folder of [bin, temporary]) mkdirSync(folder)
  chmodSync(temporary, 0o1777)
  symlinkSync(node, join(bin, 'node'))
  // npm's own settings, among them where its node is, are no business of the tests.
  const env = { ...environment, PATH: `${bin}${delimiter}${process.env.PATH}`, TMPDIR: temporary, NODE_ENV: undefined }
  const parts = [
    { projects: ['unit'], names: unit },
    { projects: ['root', 'pairs'], names: root },
  ].map(({ projects, names }, i) => {
    const report = join(work, `${major}-${i}.json`)
    const options = [
      '--reporter=dot',
      '--reporter=./scripts/reporter.mjs',
      ...projects.map(name => `--project=${name}`),
    ]
    const command = [join(top, 'node_modules/vitest/vitest.mjs'), 'run', ...options, ...names]
    const { status } = spawnSync(node, command, { cwd: top, stdio: 'inherit', env: { ...env, TEST_REPORT: report } })
    return { report, passed: status === 0 }
  })
  return { major, reports: parts.map(({ report }) => report), passed: parts.every(({ passed }) => passed) }
}

const work = mkdtempSync(join(tmpdir(), 'libcontainer-node.'))
try {
  chmodSync(work, 0o755)
  const outcomes = wanted.map(major => run(major, work))
  const totals = [join(top, 'scripts/totals.mjs'), '--to', join(top, '.cache/totals/node.json')]
  spawnSync(process.execPath, [...totals, ...outcomes.flatMap(({ reports }) => reports)], { stdio: 'inherit' })
  for (const { major, passed } of outcomes) if (!passed) console.error(`failed on Node.js ${major}`)
  process.exitCode = outcomes.every(({ passed }) => passed) ? 0 : 1
} finally {
  rmSync(work, { recursive: true })
}
