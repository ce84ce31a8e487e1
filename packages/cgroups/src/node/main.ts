#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { visibleText } from '@libcontainer/sys'
import { general, ofRun, ofTop } from './help.js'
import { UsageError } from './usage-error.js'

/** As env(1), nice(1) and timeout(1): what failed was not the command. */
const FAILED = 125

const pages: Readonly<Record<string, string>> = { run: ofRun, top: ofTop }

async function main([name, ...words]: readonly string[]): Promise<number> {
  switch (name) {
    case 'run': {
      const { parseRun } = await import('./run-options.js')
      const request = parseRun(words)
      return request.help ? print(ofRun) : await (await import('./run.js')).run(request)
    }
    case 'top': {
      const { parseTop, top } = await import('./top.js')
      const request = parseTop(words)
      return request.help ? print(ofTop) : await top(request)
    }
    case 'help':
    case '--help':
    case '-h':
      return print(pages[words[0] ?? ''] ?? general)
    case '--version':
      return print(`${versionOf()}\n`)
    case undefined:
      throw new UsageError('there is no command')
    default:
      throw new UsageError(`there is no command '${name}'`)
  }
}

function versionOf(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

function print(text: string): number {
  process.stdout.write(text)
  return 0
}

function tell(error: unknown): number {
  const { message, hint } = error as Error & { hint?: string }
  const help = error instanceof UsageError ? "try 'cgroups help'" : hint
  process.stderr.write(`cgroups: ${visibleText(message)}\n${help === undefined ? '' : `  ${visibleText(help)}\n`}`)
  return FAILED
}

process.exitCode = await main(process.argv.slice(2)).catch(tell)
