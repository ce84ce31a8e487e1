import { environment, ids, isErrno, LibcontainerError, type Waiting } from '@libcontainer/sys'
import { unixSockets } from '../dbus/address.js'
import { DBusConnection } from '../dbus/connection.js'

/** A socket where a service manager may be asked. */
export interface ManagerSocket {
  readonly path: string
  /** A bus, or systemd's own socket, which needs none. */
  readonly bus: boolean
}

/** Where the system's manager, or this user's, may be asked, in the order to try. */
export function managerSockets(
  user: boolean,
  variables: Readonly<Record<string, string>> = environment,
): ManagerSocket[] {
  const named = variables[user ? 'DBUS_SESSION_BUS_ADDRESS' : 'DBUS_SYSTEM_BUS_ADDRESS']
  const buses = named ? unixSockets(named, user ? 'DBUS_SESSION_BUS_ADDRESS' : 'DBUS_SYSTEM_BUS_ADDRESS') : []
  const directory = user ? variables.XDG_RUNTIME_DIR || `/run/user/${ids().euid}` : '/run'
  const usual = user ? `${directory}/bus` : `${directory}/dbus/system_bus_socket`
  const paths = [...buses, ...(buses.includes(usual) ? [] : [usual])]
  // Root reaches the system's manager before there is a bus, and without one; a user his own.
  return [...paths.map(path => ({ path, bus: true })), { path: `${directory}/systemd/private`, bus: false }]
}

/** Connects to the first that is there. */
export async function connectManager(
  sockets: readonly ManagerSocket[],
  user: boolean,
  { signal }: Waiting,
): Promise<{ connection: DBusConnection; bus: boolean }> {
  const refused: string[] = []
  for (const { path, bus } of sockets) {
    try {
      return { connection: await DBusConnection.open(path, { bus, signal }), bus }
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'ECONNREFUSED', 'EACCES')) throw error
      refused.push(`${path} (${error.code})`)
    }
  }
  throw new LibcontainerError('NotFound', `systemd cannot be asked: nothing answers at ${refused.join(', ')}`, {
    hint: user
      ? 'the manager of a user is there while he is logged in, or for good by: loginctl enable-linger; XDG_RUNTIME_DIR says where'
      : 'is systemd running? An ordinary user has a manager of his own',
  })
}
