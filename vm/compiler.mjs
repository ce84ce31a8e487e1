// The C compiler of the virtual machine is this machine's: guest/bin/gcc leaves what it was asked for in a shared directory.
import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, renameSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Compiles what is asked for in `directory`: `N.ask` holds the arguments, a NUL after each, and `N.input` the standard input; the
 * output goes to `N.output`, messages to `N.messages`, and the exit status, last, to `N.status`.
 *
 * @returns {() => void} ends it
 */
export function serveCompiler(directory) {
  const watcher = watch(directory, (_, name) => {
    if (name?.endsWith('.ask') && existsSync(join(directory, name))) compile(join(directory, name.slice(0, -4)))
  })
  return () => watcher.close()
}

const seen = new Set()

function compile(request) {
  if (seen.has(request)) return
  seen.add(request)
  const words = readFileSync(`${request}.ask`, 'utf8').split('\0').slice(0, -1)
  const output = words.indexOf('-o') + 1
  if (output > 0) words[output] = `${request}.output`
  const stdio = [openSync(`${request}.input`, 'r'), 'ignore', openSync(`${request}.messages`, 'w')]
  const done = status => {
    writeFileSync(`${request}.status.new`, `${status}\n`)
    renameSync(`${request}.status.new`, `${request}.status`)
  }
  const child = spawn('gcc', words, { stdio })
  for (const end of [stdio[0], stdio[2]]) closeSync(end)
  child.on('close', code => done(code ?? 1)).on('error', () => done(127))
}
