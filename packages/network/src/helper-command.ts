import type { HelperAct } from './acts.js'

export type Helper = NonNullable<HelperAct['helper']>

/** Where the programs may be, and nowhere else: PATH is whatever somebody set it to. */
export const helperDirectories: readonly string[] = [
  '/usr/bin',
  '/bin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/local/sbin',
  '/run/current-system/sw/bin',
]

export interface HelperRequest {
  /** The name of the interface in the container. */
  readonly name: string
  readonly mtu?: number | undefined
  /** A process in the container. */
  readonly pid: number
  /** It has a user namespace of its own, in which the helper has its rights. */
  readonly userNamespace: boolean
}

/**
 * What passt's pasta(1) is told. No port of the host is opened, none of the host's loopback is reached. Not all of its versions end with the namespace.
 *
 * @param pidFile - where it writes its pid, when it is in the background
 */
export function pastaArguments({ name, mtu, pid, userNamespace }: HelperRequest, pidFile: string): string[] {
  return [
    '--config-net',
    '--quiet',
    ...['--tcp-ports', 'none', '--udp-ports', 'none', '--tcp-ns', 'none', '--udp-ns', 'none', '--no-map-gw'],
    ...['--ns-ifname', name],
    ...(mtu === undefined ? [] : ['--mtu', String(mtu)]),
    ...['--pid', pidFile],
    ...['--netns', `/proc/${pid}/ns/net`],
    ...(userNamespace ? ['--userns', `/proc/${pid}/ns/user`] : ['--netns-only']),
  ]
}

/** What slirp4netns(1) is told. @param readyFd - the descriptor to which it writes when the interface is there */
export function slirpArguments({ name, mtu = 65520, pid, userNamespace }: HelperRequest, readyFd: number): string[] {
  return [
    '--configure',
    ...['--mtu', String(mtu)],
    '--disable-host-loopback',
    ...['--ready-fd', String(readyFd)],
    ...(userNamespace ? ['--userns-path', `/proc/${pid}/ns/user`] : []),
    ...['--netns-type', 'path', `/proc/${pid}/ns/net`],
    name,
  ]
}
