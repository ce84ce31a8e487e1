import { statSync } from 'node:fs'

/*
 * Before each file of tests that share a process. Node.js 20 resolves the links of an import by realpathSync(), which gives up at once where the file that was looked at last, by whomever,
 * was a pipe or a socket: then a package is loaded a second time, by the path of a link.
 */
statSync('/')
