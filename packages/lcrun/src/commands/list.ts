import { columns, type Invocation, isOn, print, warn } from '@libcontainer/cli'
import { type ContainerSummary, overview } from '@libcontainer/container'
import { isErrno, visibleLine } from '@libcontainer/sys'
import { stateRootOf } from '../globals.js'
import { printLine } from '../json-line.js'

/** Prints all containers below the state root. */
export async function run(invocation: Invocation): Promise<number> {
  const containers = await containersOf(invocation)
  const name = await namesOf(containers)
  if (isOn(invocation, 'quiet')) {
    await print(containers.map(({ id }) => `${id}\n`).join(''))
  } else if (invocation.flags.get('format') === 'json') {
    const { listData } = await import('../list-data.js')
    await printLine(await listData(await stateRootOf(invocation), containers, name))
  } else {
    await print(columns([HEADING, ...containers.map(each => row(each, name))]))
  }
  return 0
}

const HEADING = ['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER']

const row = ({ id, pid, status, bundle, created = '', owner }: ContainerSummary, name: Names): string[] => [
  id,
  String(pid),
  status,
  // Of the cells the one that anybody may have named.
  visibleLine(bundle),
  created,
  name(owner),
]

/** A state root that nobody has named is there from the first container on. */
async function containersOf(invocation: Invocation): Promise<ContainerSummary[]> {
  try {
    return await overview(await stateRootOf(invocation), { warn })
  } catch (error) {
    if (isErrno(error, 'ENOENT') && !invocation.flags.has('root')) return []
    throw error
  }
}

type Names = (uid: number) => string

/** Of those whom containers belong to; `#1000` for one without a name. */
async function namesOf(containers: readonly ContainerSummary[]): Promise<Names> {
  if (containers.every(({ owner }) => owner === 0)) return () => 'root'
  const { userNames } = await import('../user-names.js')
  const names = await userNames()
  return uid => names.get(uid) ?? `#${uid}`
}
