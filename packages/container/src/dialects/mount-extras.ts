import type { Mount, MountCommand, ParsedOptions, RelativeIdRange } from '@libcontainer/mount'
import { ConfigInvalid } from '@libcontainer/sys'
import { Fields } from './fields.js'
import { readIdMaps, writeIdMaps } from './lists.js'

type Commands = Pick<Mount, 'premountCommands' | 'postmountCommands'>

/** Go's exec.Command: `args` are those behind the program's own name. */
export function readCommands(mount: Fields): Commands {
  const [premountCommands, postmountCommands] = ['premount_cmds', 'postmount_cmds'].map(name =>
    mount.list(name, (value, at): MountCommand => {
      const command = new Fields(value, at)
      const path = command.text('path') ?? ''
      const args = command.texts('args') ?? []
      const env = command.texts('env') ?? []
      const dir = command.text('dir')
      command.end('a command of a mount')
      return { path, args: [path, ...args], env, ...(dir === undefined ? {} : { dir }) }
    }),
  )
  return {
    ...(premountCommands?.length ? { premountCommands } : {}),
    ...(postmountCommands?.length ? { postmountCommands } : {}),
  }
}

export function writeCommands({ premountCommands, postmountCommands }: Commands, field: string): object {
  const write = (commands: readonly MountCommand[] | undefined, name: string): object[] | null =>
    commands?.map(({ path, args = [path], env = [], dir = '' }, i) => {
      if (args[0] !== path)
        throw new ConfigInvalid(
          `${field}.${name}[${i}].args`,
          args,
          'must begin with the path: these files know no other argv[0]',
        )
      return { path, args: args.slice(1), env, dir }
    }) ?? null
  return {
    premount_cmds: write(premountCommands, 'premountCommands'),
    postmount_cmds: write(postmountCommands, 'postmountCommands'),
  }
}

type Ids = Pick<Mount, 'uidMappings' | 'gidMappings' | 'userNamespace'>

export function readIdMapping(mapping: Fields | undefined): Ids & { word?: string } {
  if (mapping === undefined) return {}
  const word = mapping.flag('recursive') ? 'ridmap' : 'idmap'
  const userNamespace = mapping.text('userns_path')
  const uidMappings = readIdMaps(mapping, 'uid_mappings')
  const gidMappings = readIdMaps(mapping, 'gid_mappings')
  mapping.end('the ids of a mount')
  return {
    word,
    ...(userNamespace === undefined ? {} : { userNamespace }),
    ...(uidMappings?.length ? { uidMappings } : {}),
    ...(gidMappings?.length ? { gidMappings } : {}),
  }
}

/** `null` for a mount without. */
export function writeIdMapping(mount: Mount, { idMap }: ParsedOptions, field: string): object | null {
  const { userNamespace = '', uidMappings = [], gidMappings = [] } = mount
  if (idMap === undefined && userNamespace === '' && uidMappings.length + gidMappings.length === 0) return null
  const uid: readonly RelativeIdRange[] = idMap?.maps?.uid ?? uidMappings
  const gid: readonly RelativeIdRange[] = idMap?.maps?.gid ?? gidMappings
  if ([...uid, ...gid].some(({ relative }) => relative))
    throw new ConfigInvalid(
      `${field}.options`,
      'idmap',
      'is relative to the maps of the container: this file has ids of the host alone',
    )
  return {
    recursive: idMap?.recursive ?? false,
    userns_path: userNamespace,
    uid_mappings: uid.length > 0 ? writeIdMaps(uid) : null,
    gid_mappings: gid.length > 0 ? writeIdMaps(gid) : null,
  }
}
