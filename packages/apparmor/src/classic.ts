import {
  ConfigInvalid,
  exists,
  generateRandomName,
  openLabelsStep,
  rename,
  type Step,
  writeText,
} from '@libcontainer/sys'
import { defaultProfile } from './default-profile.js'
import type { LoadOptions } from './load.js'
import { runParser } from './parser.js'
import { type ProfileRules, profileText } from './profile-text.js'
import { isEnabled } from './status.js'
import { profileOnExecStep } from './steps.js'

/* What libcontainer of 2014 and 2015 had, by its names. */

export interface DefaultProfileOptions extends Omit<LoadOptions, 'cache'> {
  /** Default: `docker-default`. */
  readonly name?: string | undefined
  /** Where the text is kept, to be loaded at boot. Default: `/etc/apparmor.d/docker`. */
  readonly path?: string | undefined
}

/**
 * Writes the default profile for containers and loads it; where AppArmor is off nothing is done.
 *
 * @returns whether it was loaded
 * @throws {LibcontainerError} `ProfileRefused` with what the parser says
 */
export async function installDefaultProfile(options: DefaultProfileOptions = {}): Promise<boolean> {
  const { name = 'docker-default', path = '/etc/apparmor.d/docker', parser, signal } = options
  if (!(await isEnabled())) return false
  const text = profileText(await installed(name))
  const aside = generateRandomName(`${path}.`, 16)
  await writeText(aside, text)
  await rename(aside, path)
  await runParser(['--replace', '--write-cache', path], { parser, signal })
  return true
}

/** With what of the distribution's files is there. */
async function installed(name: string): Promise<ProfileRules> {
  const [tunables, base] = await Promise.all([
    exists('/etc/apparmor.d/tunables/global'),
    exists('/etc/apparmor.d/abstractions/base'),
  ])
  return defaultProfile(name, {
    imports: [tunables ? 'tunables/global' : '@{PROC}=/proc/'],
    innerImports: base ? ['abstractions/base'] : [],
  })
}

/**
 * The steps that give the program of a plan a profile; none for an empty name.
 *
 * @throws {ConfigInvalid} for a name where AppArmor is off
 */
export async function applyProfile(name: string): Promise<Step[]> {
  if (name === '') return []
  if (!(await isEnabled())) throw new ConfigInvalid('profile', name, 'cannot be applied: AppArmor is off')
  return [openLabelsStep, profileOnExecStep(name)]
}
