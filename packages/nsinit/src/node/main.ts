#!/usr/bin/env node
import { runMain } from '@libcontainer/cli/node'
import { args, calledAs } from '@libcontainer/sys'
import { wordsOf } from '../called-as.js'
import { run } from '../main.js'

await runMain('nsinit', () => run(wordsOf(calledAs(), args)))
