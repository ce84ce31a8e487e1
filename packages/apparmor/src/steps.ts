import { type Step, writeLabelStep } from '@libcontainer/sys'
import { checkProfileName } from './name.js'

const hints = (name: string) => ({
  ENOENT: `no profile ${name} is loaded: apparmor_parser --replace loads one, and /sys/kernel/security/apparmor/profiles lists them`,
  EINVAL: 'AppArmor is off in this kernel, or the name is none',
  EACCES:
    'what confines this process now does not let it change to that profile; it takes attach_disconnected, too, since this is told to a procfs in no tree',
  EPERM:
    'what confines this process now does not let it change to that profile, or no_new_privs keeps it from one that allows more',
})

/**
 * The step that gives what is executed next a profile; a step `openLabelsStep` comes before it.
 *
 * @param profile - see {@link checkProfileName}
 * @see apparmor(7), aa_change_onexec(2), aa_stack_onexec(2)
 */
export function profileOnExecStep(profile: string, field?: string): Step {
  const [command, name] = split(profile, field)
  const rest = { about: `execute under the profile ${profile} of AppArmor`, hints: hints(name) }
  const text = `${command === 'stack' ? 'stack' : 'exec'} ${name}`
  return write('exec', text, rest)
}

/** The step that gives the process itself a profile, from now on. @see aa_change_profile(2), aa_stack_profile(2) */
export function changeProfileStep(profile: string, field?: string): Step {
  const [command, name] = split(profile, field)
  const rest = { about: `change to the profile ${profile} of AppArmor`, hints: hints(name) }
  return write('current', `${command === 'stack' ? 'stack' : 'changeprofile'} ${name}`, rest)
}

function split(profile: string, field?: string): [command: 'change' | 'stack', name: string] {
  const name = checkProfileName(profile, field)
  return name.startsWith('&') ? ['stack', name.slice(1)] : ['change', name]
}

/** Before Linux 5.8 the files are of whichever module was the first. */
const write = (file: string, text: string, rest: Pick<Step, 'about' | 'hints'>): Step =>
  writeLabelStep(`apparmor/${file}`, text, { ...rest, onError: { ENOENT: writeLabelStep(file, text, rest) } })
