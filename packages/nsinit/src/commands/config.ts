import { ConfigInvalid, isErrno, O_CREAT, O_EXCL, O_WRONLY, stringifyJson, writeText } from '@libcontainer/sys'
import type { Invocation } from '../command-line.js'
import { parseFile } from '../container-json.js'
import { printJson } from '../output.js'
import { openPlace } from '../place.js'
import { template } from '../template.js'

/** Prints the config of the directory, or a new one; into a file where that is asked for. */
export async function run(invocation: Invocation): Promise<number> {
  const rootfs = invocation.flags.get('rootfs')
  const config = rootfs === undefined ? await parseFile(await openPlace(invocation)) : template(rootfs)
  const file = invocation.flags.get('file')
  if (file === undefined || file === '-') await printJson(config)
  else await writeNew(file, `${stringifyJson(config, '\t')}\n`)
  return 0
}

async function writeNew(file: string, text: string): Promise<void> {
  try {
    await writeText(file, text, { flags: O_WRONLY | O_CREAT | O_EXCL })
  } catch (error) {
    if (isErrno(error, 'EEXIST')) throw new ConfigInvalid('--file', file, 'must not exist: remove it first')
    throw error
  }
}
