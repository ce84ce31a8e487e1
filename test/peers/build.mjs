// Builds the program around Go's libcontainer that peer.ts talks to, for set-up: its modules are fetched the first time, and a minute or two of
// compiling inside a test file would outlast the patience of vitest. Where it cannot be built, the reason is left for the tests to print.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = name => fileURLToPath(new URL(name, import.meta.url))
const folder = here('../../.cache/peers/')
const program = `${folder}libcontainer-go`
const lack = `${folder}lack-of-go.txt`

const source = Math.max(...['peer/main.go', 'go.mod', 'go.sum'].map(name => statSync(here(`../go/${name}`)).mtimeMs))
if (!existsSync(program) || statSync(program).mtimeMs <= source) {
  console.error("set-up: building the program around Go's libcontainer")
  mkdirSync(folder, { recursive: true })
  for (const old of [program, lack]) rmSync(old, { force: true })
  const { status, error, stderr } = spawnSync('go', ['build', '-trimpath', '-o', program, './peer'], {
    cwd: here('../go'),
    encoding: 'utf8',
    env: { ...process.env, GOFLAGS: '-buildvcs=false' },
  })
  if (status !== 0)
    writeFileSync(lack, error ? `go: ${error.message}` : `go build: ${stderr.trim().split('\n').at(-1)}`)
}
