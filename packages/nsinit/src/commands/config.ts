import { type Invocation, printJson } from '@libcontainer/cli'
import { ConfigInvalid, isErrno, O_CREAT, O_EXCL, O_WRONLY, stat, stringifyJson, writeText } from '@libcontainer/sys'
import { applyFlags } from '../apply-flags.js'
import { fileOf, templateOf } from '../container-config.js'
import { isAbsent, parseFile } from '../container-json.js'
import { saysConfig } from '../create-flags.js'
import { DEFAULT_ID, openPlace, type Place } from '../place.js'

/** Prints container.json of the directory as it stands; or, as in 2015, the config that the flags make; into a file where that is asked for. */
export async function run(invocation: Invocation): Promise<number> {
  const place = await openPlace(invocation)
  const config = saysConfig(invocation) ? made(place, invocation) : ((await present(place)) ?? made(place, invocation))
  const file = invocation.flags.get('file')
  if (file === undefined || file === '-') await printJson(config)
  else await writeNew(file, `${stringifyJson(config, '\t')}\n`)
  return 0
}

/** In the words of container.json: what programs run with is a field of it. */
function made(place: Place, invocation: Invocation): object {
  const { config, process } = applyFlags(templateOf({ ...place, id: DEFAULT_ID }), invocation)
  const { parentDeathSignal, ...rest } = config
  // Where it is not said it is KILL.
  const deathSignal = parentDeathSignal === undefined ? { parentDeathSignal: null } : { parentDeathSignal }
  return { ...rest, rootfs: invocation.flags.get('rootfs') ?? '.', ...deathSignal, process }
}

/** An empty file is none: the shell has made it for our output. */
async function present(place: Place): Promise<object | undefined> {
  const file = fileOf(place)
  try {
    const { size } = await stat(file.path, { at: place.directory })
    return size === 0 ? undefined : await parseFile(file)
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

async function writeNew(file: string, text: string): Promise<void> {
  try {
    await writeText(file, text, { flags: O_WRONLY | O_CREAT | O_EXCL })
  } catch (error) {
    if (isErrno(error, 'EEXIST')) throw new ConfigInvalid('--file', file, 'must not exist: remove it first')
    throw error
  }
}
