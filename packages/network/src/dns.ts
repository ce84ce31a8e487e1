import { parseAddress } from '@libcontainer/netlink/text'
import { ConfigInvalid, kernelString, makeDirectory, rename, writeText } from '@libcontainer/sys'

/** What a resolv.conf(5) says. */
export interface ResolvConf {
  /** Asked in this order; the C library looks at the first three. */
  readonly nameservers?: readonly string[] | undefined
  /** Put behind names that have few dots, in this order. */
  readonly search?: readonly string[] | undefined
  /** `ndots:2`, `edns0`, … */
  readonly options?: readonly string[] | undefined
}

/** An address and its names: a line of hosts(5). */
export interface HostEntry {
  readonly address: string
  readonly names: readonly string[]
}

/** What is written for a container. */
export interface DnsFiles {
  readonly hostname?: string | undefined
  readonly resolvConf?: ResolvConf | undefined
  /** Beside those of the loopback. */
  readonly hosts?: readonly HostEntry[] | undefined
}

/** The text of a resolv.conf(5). Pure. @throws {ConfigInvalid} */
export function resolvConfText(
  { nameservers = [], search = [], options = [] }: ResolvConf,
  field = 'resolvConf',
): string {
  for (const [i, server] of nameservers.entries()) {
    const at = `${field}.nameservers[${i}]`
    // The only place for the zone of a link-local address.
    parseAddress(kernelString(server, at).replace(/%[^\s%]{1,15}$/, ''), at)
  }
  for (const [i, domain] of search.entries()) checkName(domain, `${field}.search[${i}]`, /^(\.|[\w-]+(\.[\w-]+)*\.?)$/)
  for (const [i, option] of options.entries()) checkName(option, `${field}.options[${i}]`, /^[\w-]+(:\w+)?$/)
  return [
    ...(search.length === 0 ? [] : [`search ${search.join(' ')}`]),
    ...nameservers.map(server => `nameserver ${server}`),
    ...(options.length === 0 ? [] : [`options ${options.join(' ')}`]),
    '',
  ].join('\n')
}

/** What a resolv.conf(5) says; lines that are none of these three, and comments, are left out. As in the C library, the last search list counts. */
export function parseResolvConf(text: string): { nameservers: string[]; search: string[]; options: string[] } {
  const nameservers: string[] = []
  const options: string[] = []
  let search: string[] = []
  for (const line of text.split('\n')) {
    if (/^[#;]/.test(line)) continue
    const [keyword, ...words] = line.trim().split(/\s+/)
    if (words.length === 0) continue
    if (keyword === 'nameserver') nameservers.push(words[0]!)
    else if (keyword === 'options') options.push(...words)
    else if (keyword === 'search' || keyword === 'domain') search = keyword === 'domain' ? words.slice(0, 1) : words
  }
  return { nameservers, search, options }
}

const LOOPBACK: readonly HostEntry[] = [
  { address: '127.0.0.1', names: ['localhost'] },
  { address: '::1', names: ['localhost', 'ip6-localhost', 'ip6-loopback'] },
]

/** The text of a hosts(5) file: the loopback, then these. Pure. @throws {ConfigInvalid} */
export function hostsText(entries: readonly HostEntry[], field = 'hosts'): string {
  for (const [i, { address, names }] of entries.entries()) {
    parseAddress(address, `${field}[${i}].address`)
    if (!Array.isArray(names) || names.length === 0)
      throw new ConfigInvalid(`${field}[${i}].names`, names, 'must be a list of names, at least one')
    for (const [n, name] of names.entries()) checkHostname(name, `${field}[${i}].names[${n}]`)
  }
  return [...LOOPBACK, ...entries].map(({ address, names }) => `${address}\t${names.join(' ')}\n`).join('')
}

/** A name of a host: RFC 1123, and underscores. */
function checkHostname(name: unknown, field: string): void {
  checkName(name, field, /^[a-zA-Z0-9_]([\w.-]{0,251}[a-zA-Z0-9_])?\.?$/)
}

function checkName(name: unknown, field: string, pattern: RegExp): void {
  if (!pattern.test(kernelString(name as string, field)))
    throw new ConfigInvalid(field, name, 'must be a word of its kind: no white space, no comment')
}

/** The files in a directory, by the names that `runtimeFiles` of `@libcontainer/mount` has for them. */
export interface WrittenDnsFiles {
  readonly hosts: string
  readonly resolvConf?: string | undefined
  readonly hostname?: string | undefined
}

/**
 * Writes `hosts`, and `resolv.conf` and `hostname` where they are given, into a directory of the caller's, which is made: each beside, and then renamed. A
 * container gets them by binds: `mounts: [...defaultMounts, ...runtimeFiles({ ...files, localtime: false })]`.
 *
 * @param directory - absolute; nobody else may write to it
 * @throws {ConfigInvalid} before anything is written
 */
export async function writeDnsFiles(
  directory: string,
  { hostname, resolvConf, hosts = [] }: DnsFiles,
): Promise<WrittenDnsFiles> {
  if (!kernelString(directory, 'directory').startsWith('/'))
    throw new ConfigInvalid('directory', directory, 'must be absolute')
  if (hostname !== undefined) checkHostname(hostname, 'hostname')
  // As Debian does, a name without an address of its own is the loopback's second.
  const own = hostname !== undefined && !hosts.some(({ names }) => names.includes(hostname))
  const texts = {
    hosts: hostsText(own ? [{ address: '127.0.1.1', names: [hostname] }, ...hosts] : hosts),
    resolvConf: resolvConf && resolvConfText(resolvConf),
    hostname: hostname === undefined ? undefined : `${hostname}\n`,
  }
  await makeDirectory(directory, { mode: 0o755, parents: true })
  return {
    hosts: (await write(directory, 'hosts', texts.hosts))!,
    resolvConf: await write(directory, 'resolv.conf', texts.resolvConf),
    hostname: await write(directory, 'hostname', texts.hostname),
  }
}

async function write(directory: string, name: string, text: string | undefined): Promise<string | undefined> {
  if (text === undefined) return undefined
  const path = `${directory}/${name}`
  await writeText(`${path}.new`, text, { mode: 0o644 })
  await rename(`${path}.new`, path)
  return path
}
