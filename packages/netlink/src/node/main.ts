#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { visibleText } from '@libcontainer/sys'
import { general, ofAddr, ofLink, ofMonitor, ofNetns, ofRoute } from './help.js'
import { parseAddr, parseLink, parseMonitor, parseNetns, parseRoute } from './options.js'
import { endWithReader, write } from './output.js'
import { didYouMean } from './suggest.js'
import { UsageError } from './usage-error.js'

/** As nsenter(1) and env(1): what failed was not the command of `netns exec`. */
const FAILED = 125

const pages: Readonly<Record<string, string>> = {
  link: ofLink,
  addr: ofAddr,
  route: ofRoute,
  monitor: ofMonitor,
  netns: ofNetns,
}

/** As ip(8) has them. */
const names: Readonly<Record<string, string>> = { address: 'addr', a: 'addr', l: 'link', r: 'route' }

async function main([word, ...words]: readonly string[]): Promise<number> {
  const name = word !== undefined && Object.hasOwn(names, word) ? names[word] : word
  switch (name) {
    case 'link': {
      const request = parseLink(words)
      return request.help ? await print(ofLink) : await (await import('./link.js')).link(request)
    }
    case 'addr': {
      const request = parseAddr(words)
      return request.help ? await print(ofAddr) : await (await import('./addr.js')).addr(request)
    }
    case 'route': {
      const request = parseRoute(words)
      return request.help ? await print(ofRoute) : await (await import('./route.js')).route(request)
    }
    case 'monitor': {
      const request = parseMonitor(words)
      return request.help ? await print(ofMonitor) : await (await import('./monitor.js')).monitor(request)
    }
    case 'netns':
      return await (await import('./netns.js')).netns(parseNetns(words))
    case 'help':
    case '--help':
    case '-h':
      return await help(words[0])
    case '--version':
      return await print(`${versionOf()}\n`)
    case undefined:
      throw new UsageError('there is no command')
    default:
      throw new UsageError(`there is no command '${name}'${didYouMean(name, Object.keys(pages))}`)
  }
}

async function help(word: string | undefined): Promise<number> {
  const name = word !== undefined && Object.hasOwn(names, word) ? names[word]! : word
  if (name === undefined) return await print(general)
  if (!Object.hasOwn(pages, name))
    throw new UsageError(`there is no command '${name}'${didYouMean(name, Object.keys(pages))}`)
  return await print(pages[name]!)
}

function versionOf(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

async function print(text: string): Promise<number> {
  await write(text)
  return 0
}

function tell(error: unknown): number {
  const { message, hint } = error as Error & { hint?: string }
  const help = error instanceof UsageError ? "try 'netlink help'" : hint
  process.stderr.write(`netlink: ${visibleText(message)}\n${help === undefined ? '' : `  ${visibleText(help)}\n`}`)
  return FAILED
}

endWithReader()
process.exitCode = await main(process.argv.slice(2)).catch(tell)
