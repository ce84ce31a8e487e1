#!/usr/bin/env node
import { runMain } from '@libcontainer/cli/node'
import { args } from '@libcontainer/sys'
import { run } from '../main.js'

await runMain('lcrun', () => run(args))
