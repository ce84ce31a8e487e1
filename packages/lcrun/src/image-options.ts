import { type Invocation, isOn } from '@libcontainer/cli'
import type { CheckpointImage, Container } from '@libcontainer/container'
import { ConfigInvalid, exists } from '@libcontainer/sys'
import { absolute } from './paths.js'

const MODES = ['soft', 'full', 'strict', 'ignore'] as const
const LOCKS = ['iptables', 'nftables', 'skip'] as const

/** CRIU's own settings for this program's containers, where somebody has written them; an annotation names another file, or with `''` none. */
const CONFIG_FILE = '/etc/criu/lcrun.conf'
const ANNOTATION = 'org.criu.config='

/** What `checkpoint` and `restore` are told alike. @throws {ConfigInvalid} with the flag */
export async function imageOptions(invocation: Invocation): Promise<CheckpointImage> {
  const { flags } = invocation
  const on = (name: string): true | undefined => (isOn(invocation, name) ? true : undefined)
  const work = flags.get('work-path')
  return {
    imagesDir: await absolute(flags.get('image-path') ?? 'checkpoint'),
    workDir: work === undefined ? undefined : await absolute(work),
    tcpEstablished: on('tcp-established'),
    tcpClose: on('tcp-close'),
    extUnixSk: on('ext-unix-sk'),
    shellJob: on('shell-job'),
    fileLocks: on('file-locks'),
    linkRemap: on('link-remap'),
    autoDedup: on('auto-dedup'),
    lazyPages: on('lazy-pages'),
    manageCgroupsMode: oneOf('manage-cgroups-mode', flags.get('manage-cgroups-mode'), MODES),
    networkLock: oneOf('network-lock', flags.get('network-lock'), LOCKS),
    emptyNs: emptyNamespaces(invocation),
  }
}

function oneOf<W extends string>(name: string, word: string | undefined, words: readonly W[]): W | undefined {
  if (word === undefined || words.includes(word as W)) return word as W | undefined
  throw new ConfigInvalid(`--${name}`, word, `must be one of ${words.join(', ')}`)
}

function emptyNamespaces({ lists }: Invocation): ['net'] | undefined {
  const words = lists.get('empty-ns') ?? []
  for (const word of words)
    if (word !== 'network')
      throw new ConfigInvalid('--empty-ns', word, 'must be network: CRIU leaves no other one empty')
  return words.length > 0 ? ['net'] : undefined
}

/** The file of CRIU's own settings for a container. */
export async function criuConfigOf(container: Container): Promise<string | undefined> {
  const { labels = [] } = container.config()
  const label = labels.findLast(each => each.startsWith(ANNOTATION))
  if (label !== undefined) return label.slice(ANNOTATION.length) || undefined
  return (await exists(CONFIG_FILE)) ? CONFIG_FILE : undefined
}
