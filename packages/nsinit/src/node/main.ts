#!/usr/bin/env node
import { args, exit } from '@libcontainer/sys'
import { run } from '../main.js'

// A defect must not leave the user's terminal raw.
process.on('uncaughtException', async error => {
  const { restoreTerminals } = await import('@libcontainer/console')
  restoreTerminals()
  process.stderr.write(`nsinit: ${error.stack}\n`)
  exit(1)
})

exit(await run(args))
