import { warn } from '@libcontainer/cli'
import type { ContainerState } from '@libcontainer/container'
import {
  O_CREAT,
  O_EXCL,
  O_WRONLY,
  type OwnedFd,
  openFlags,
  removeFile,
  rename,
  SyscallError,
  stringifyJson,
  writeText,
} from '@libcontainer/sys'
import type { Place } from './place.js'

const STATE_FILE = 'state.json'
const ASIDE = '.state.json.new'

/**
 * Writes state.json beside container.json, for people to look at; nothing reads it. The container may be able to write there: so it is a new
 * file that takes the name, and no link that was put there is followed.
 */
export async function writeStateCopy({ directory, path }: Place, state: ContainerState): Promise<void> {
  try {
    await removeFile(ASIDE, { at: directory })
    await writeText(ASIDE, `${stringifyJson(copyOf(state), '\t')}\n`, {
      at: directory,
      flags: O_WRONLY | O_CREAT | O_EXCL | openFlags().O_NOFOLLOW,
    })
    await rename(ASIDE, STATE_FILE, { at: directory })
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error
    warn(`there will be no ${STATE_FILE} in ${path}: ${error.message}`)
  }
}

/** The state under its names of 2014, and of today. */
const copyOf = (state: ContainerState): object => ({
  init_pid: state.init_process_pid,
  init_start_time: state.init_process_start,
  network_state: {},
  ...state,
})

/** Removes the copy; where it could not be written it cannot be there. */
export async function removeStateCopy(directory: OwnedFd): Promise<void> {
  for (const name of [STATE_FILE, ASIDE]) {
    try {
      await removeFile(name, { at: directory })
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error
    }
  }
}
