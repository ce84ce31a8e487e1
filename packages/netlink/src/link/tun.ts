import { ConfigInvalid, checked, OwnedFd, type Waiting } from '@libcontainer/sys'
import { type NamespaceTarget, openNamespace } from '../namespace/namespace.js'
import { native } from '../native.js'
import { checkLinkName } from './name.js'

const IFF_TUN = 0x1
const IFF_TAP = 0x2
const IFF_MULTI_QUEUE = 0x100
const IFF_NO_PI = 0x1000
const IFF_VNET_HDR = 0x4000
/** Refuses a name that is there: the kernel would else hand out the device that has it. */
const IFF_TUN_EXCL = 0x8000

export interface NewTun {
  name: string
  /** `tun` carries packets of IP, `tap` Ethernet frames. */
  mode: 'tun' | 'tap'
  /** Puts struct tun_pi before each packet. Default: `false` */
  packetInformation?: boolean | undefined
  /** Puts struct virtio_net_hdr before each packet. Default: `false` */
  vnetHeader?: boolean | undefined
  /** Lets others open more queues of it. Default: `false` */
  multiQueue?: boolean | undefined
  /** Lets this user, by number, open it without privileges. */
  owner?: number | undefined
  group?: number | undefined
  /** Stays when its descriptor is closed. Default: `false` */
  persistent?: boolean | undefined
  /** Where it is made. Default: the namespace of this process */
  namespace?: NamespaceTarget | undefined
}

/**
 * Makes a tun or tap device. The kernel has no netlink message for it.
 *
 * @returns a descriptor, which never waits, for the packets: the device goes with it, unless it is persistent
 * @throws {ConfigInvalid} by field
 * @throws {SyscallError} `EBUSY` when the name is taken, `EPERM` without CAP_NET_ADMIN, `ENOENT` or `ENODEV` of a kernel without tun
 */
export async function openTun(tun: NewTun, { signal }: Waiting = {}): Promise<OwnedFd> {
  const name = checkLinkName(tun.name)
  const flags = flagsOf(tun)
  const owner = idOf(tun.owner, 'owner')
  const group = idOf(tun.group, 'group')
  signal?.throwIfAborted()
  using held = tun.namespace === undefined ? undefined : await openNamespace(tun.namespace)
  const fd = checked(
    await native.async.openTun(held?.fd ?? -1, name, flags, owner, group, tun.persistent === true ? 1 : 0),
    'ioctl(TUNSETIFF)',
    name,
    {
      step: `make the ${tun.mode} device ${name}`,
      hint: 'it needs /dev/net/tun, a name that is free, and CAP_NET_ADMIN in the user namespace that the network namespace belongs to',
    },
  )
  return new OwnedFd(fd)
}

function flagsOf({ mode, packetInformation = false, vnetHeader = false, multiQueue = false }: NewTun): number {
  if (mode !== 'tun' && mode !== 'tap') throw new ConfigInvalid('mode', mode, 'must be tun or tap')
  const flags = (mode === 'tun' ? IFF_TUN : IFF_TAP) | IFF_TUN_EXCL
  return (
    flags | (packetInformation ? 0 : IFF_NO_PI) | (vnetHeader ? IFF_VNET_HDR : 0) | (multiQueue ? IFF_MULTI_QUEUE : 0)
  )
}

function idOf(id: number | undefined, field: string): number {
  if (id === undefined) return -1
  if (!Number.isInteger(id) || id < 0 || id > 0xfffffffe)
    throw new ConfigInvalid(field, id, 'must be a number of a user or group')
  return id
}
