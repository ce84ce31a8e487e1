#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { resolve as absolute } from 'node:path'
import { ConfigInvalid, visibleText } from '@libcontainer/sys'
import { enter } from '../enter.js'
import { listNamespaces } from '../list.js'
import { pinNamespace, unpinNamespace } from '../pin.js'
import { unshare } from '../unshare.js'
import { general, ofEnter, ofList, ofPin, ofUnshare } from './help.js'
import { parseEnter, parseList, parsePin, parseUnpin, parseUnshare } from './options.js'
import { run } from './run.js'
import { renderJson, renderTable } from './table.js'
import { UsageError } from './usage-error.js'

/** As nsenter(1) and env(1): what failed was not the command. */
const FAILED = 125

const pages: Readonly<Record<string, string>> = {
  list: ofList,
  enter: ofEnter,
  unshare: ofUnshare,
  pin: ofPin,
  unpin: ofPin,
}

async function main([name, ...words]: readonly string[]): Promise<number> {
  switch (name) {
    case 'list': {
      const { kinds, json, help } = parseList(words)
      if (help) return print(ofList)
      const found = await listNamespaces(kinds)
      return print(json ? renderJson(found) : renderTable(found))
    }
    case 'enter': {
      const { what, command, options, help } = parseEnter(words)
      return help ? print(ofEnter) : await run(command[0]!, () => enter(what, command, options))
    }
    case 'unshare': {
      const { what, command, options, help } = parseUnshare(words)
      return help ? print(ofUnshare) : await run(command[0]!, () => unshare(what, command, options))
    }
    case 'pin': {
      const { target, kind, path, help } = parsePin(words)
      if (help) return print(ofPin)
      await pinNamespace(target, kind, absolute(path))
      return 0
    }
    case 'unpin': {
      const { paths, help } = parseUnpin(words)
      return help ? print(ofPin) : await unpin(paths)
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

async function unpin(paths: readonly string[]): Promise<number> {
  for (const path of paths)
    if (!(await unpinNamespace(absolute(path))))
      throw new ConfigInvalid('PATH', path, 'is not there: nothing is pinned at it')
  return 0
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
  const help = error instanceof UsageError ? "try 'namespaces help'" : hint
  process.stderr.write(`namespaces: ${visibleText(message)}\n${help === undefined ? '' : `  ${visibleText(help)}\n`}`)
  return FAILED
}

process.exitCode = await main(process.argv.slice(2)).catch(tell)
