#!/usr/bin/env node
import { args, exit, type LibcontainerError } from '@libcontainer/sys'
import { run } from '../main.js'

// A defect must not leave the user's terminal raw.
process.on('uncaughtException', async error => {
  const { restoreTerminals } = await import('@libcontainer/console')
  restoreTerminals()
  process.stderr.write(`lcrun: ${error.stack}\n`)
  exit(1)
})

try {
  exit(await run(args))
} catch (error) {
  // Only where there is no binding: on another system, or where the package is not whole.
  const { message, hint } = error as LibcontainerError
  process.stderr.write(`lcrun: ${message}\n${hint === undefined ? '' : `hint: ${hint}\n`}`)
  exit(1)
}
