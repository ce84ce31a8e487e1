import { ConfigInvalid, kernelString } from '@libcontainer/sys'

/** A program of the host that is run around one mount, in the mount namespace of the container and before its root is changed. No shell, no PATH. */
export interface MountCommand {
  /** Absolute. */
  readonly path: string
  /** Its argv, from `argv[0]` on. Default: the path alone. */
  readonly args?: readonly string[] | undefined
  /** `NAME=value`. Default: none. */
  readonly env?: readonly string[] | undefined
  /** Its working directory, absolute. Default: `/`. */
  readonly dir?: string | undefined
}

/** Refuses what is no list of commands, naming field and value. @param part - what `of` goes on with to the list */
export function checkCommands(given: unknown, of: string, part: string): readonly MountCommand[] {
  if (given === undefined || given === null) return []
  const field = of + part
  if (!Array.isArray(given)) throw new ConfigInvalid(field, given, 'must be a list of { path, args, env, dir }')
  given.forEach((command: unknown, i) => {
    checkCommand(command, `${field}[${i}]`)
  })
  return given
}

function checkCommand(command: unknown, at: string): void {
  if (typeof command !== 'object' || command === null)
    throw new ConfigInvalid(at, command, 'must be { path, args, env, dir }')
  const { path, args, env, dir, ...others } = command as Record<string, unknown>
  for (const [name, value] of Object.entries(others))
    throw new ConfigInvalid(`${at}.${name}`, value, 'must be one of path, args, env, dir')
  for (const [name, value] of Object.entries({ path, ...(dir === undefined ? {} : { dir }) })) {
    if (!kernelString(value as string, `${at}.${name}`).startsWith('/'))
      throw new ConfigInvalid(`${at}.${name}`, value, 'must be absolute: no shell and no PATH looks it up')
  }
  for (const [name, list] of Object.entries({ args, env })) {
    if (list === undefined) continue
    if (!Array.isArray(list)) throw new ConfigInvalid(`${at}.${name}`, list, 'must be a list')
    list.forEach((each: unknown, i) => {
      const text = kernelString(each as string, `${at}.${name}[${i}]`)
      if (name === 'env' && text.indexOf('=') < 1)
        throw new ConfigInvalid(`${at}.env[${i}]`, text, 'must be NAME=value')
    })
  }
  if (Array.isArray(args) && args.length === 0) throw new ConfigInvalid(`${at}.args`, args, 'must begin with argv[0]')
}
