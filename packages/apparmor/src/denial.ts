import { auditFields } from '@libcontainer/sys'

/** Something that AppArmor has refused, or would have in complain mode, as the audit log tells it. */
export interface Denial {
  /** `DENIED`; `ALLOWED` where the profile only complains. */
  readonly verdict: string
  /** `open`, `mount`, `capable`, `ptrace`, `signal`, `exec`, … */
  readonly operation: string
  /** `file`, `cap`, `mount`, `net`, `ptrace`, …, where the kernel tells it. */
  readonly class?: string | undefined
  readonly profile: string
  /** The path, or what else it was about. */
  readonly name?: string | undefined
  readonly pid?: number | undefined
  /** The name of the process: `comm`. */
  readonly command?: string | undefined
  /** Letters of apparmor.d(5): what was asked, and what of it was refused. */
  readonly requested?: string | undefined
  readonly denied?: string | undefined
  /** The profile of the other side of a signal or ptrace. */
  readonly peer?: string | undefined
  readonly capability?: string | undefined
  /** All that the line has, by its own words. */
  readonly fields: Readonly<Record<string, string>>
}

/** Reads a line of the audit log, or of the kernel's; `undefined` where it tells of nothing that AppArmor refused. Pure. */
export function parseDenial(line: string): Denial | undefined {
  const fields = auditFields(line, HEXADECIMAL)
  const { apparmor, operation = '', profile = '' } = fields
  if (apparmor !== 'DENIED' && apparmor !== 'ALLOWED') return undefined
  const pid = Number(fields.pid)
  return {
    verdict: apparmor,
    operation,
    class: fields.class,
    profile,
    name: fields.name,
    pid: Number.isInteger(pid) ? pid : undefined,
    command: fields.comm,
    requested: fields.requested_mask ?? fields.requested,
    denied: fields.denied_mask ?? fields.denied,
    peer: fields.peer,
    capability: fields.capname,
    fields,
  }
}

/** Names, which the kernel tells in hexadecimal where it has to. */
const HEXADECIMAL = new Set(['name', 'profile', 'comm', 'peer', 'srcname'])

const LETTERS: Readonly<Record<string, string>> = {
  r: 'read',
  w: 'write',
  a: 'append to',
  c: 'create',
  d: 'delete',
  k: 'lock',
  l: 'link',
  m: 'map as a program',
  x: 'execute',
}

/** A denial in a sentence, with the rule that would allow it. Pure. */
export function explainDenial(denial: Denial): string {
  const { verdict, profile, operation, name = '', command = 'a process', denied = '', peer, capability } = denial
  const did = verdict === 'DENIED' ? 'may not' : 'would not be allowed to'
  const [what, rule] = deedOf()
  return `${command} under ${profile} ${did} ${what}${rule === undefined ? '' : `; the rule that allows it: ${rule}`}`

  function deedOf(): [what: string, rule?: string] {
    if (capability !== undefined) return [`use the capability ${capability}`, `capability ${capability},`]
    if (operation === 'ptrace') return [`${denied || 'trace'} processes of ${peer}`, `ptrace (${denied}) peer=${peer},`]
    if (operation === 'signal')
      return [
        `${denied} the signal ${denial.fields.signal} (${peer})`,
        `signal (${denied}) set=(${denial.fields.signal}) peer=${peer},`,
      ]
    if (operation === 'mount') return [`mount on ${name}`, mountRule(denial)]
    if (operation === 'umount') return [`unmount ${name}`, `umount ${name},`]
    if (denial.fields.family !== undefined)
      return [
        `use a socket of ${denial.fields.family} ${denial.fields.sock_type ?? ''}`.trimEnd(),
        `network ${[denial.fields.family, denial.fields.sock_type].filter(Boolean).join(' ')},`,
      ]
    const deeds = [...denied].flatMap(letter => LETTERS[letter] ?? [])
    if (deeds.length === 0) return [`${operation}${name === '' ? '' : ` ${name}`}`]
    // Creating and deleting are writing to the language of profiles.
    const permissions = [
      ...new Set([...denied].map(letter => (letter === 'c' || letter === 'd' ? 'w' : letter === 'x' ? 'ix' : letter))),
    ]
    return [`${deeds.join(' and ')} ${name}`, `${/\s/.test(name) ? `"${name}"` : name} ${permissions.join('')},`]
  }
}

function mountRule({ name, fields }: Denial): string {
  const parts = [
    'mount',
    ...(fields.fstype === undefined ? [] : [`fstype=${fields.fstype}`]),
    ...(fields.flags === undefined ? [] : [`options=(${fields.flags.replaceAll(' ', '')})`]),
    ...(fields.srcname === undefined ? [] : [fields.srcname]),
    '->',
    name ?? '/',
  ]
  return `${parts.join(' ')},`
}
