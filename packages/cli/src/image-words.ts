import { LibcontainerError } from '@libcontainer/sys'

/** Options of a checkpoint and a restore whose flags are called otherwise. */
const FLAGS: Readonly<Record<string, string>> = {
  imagesDir: 'image-path',
  workDir: 'work-path',
  parentImg: 'parent-path',
}
const OPTIONS = [
  ...Object.keys(FLAGS),
  ...['tcpEstablished', 'tcpClose', 'tcpSkipInFlight', 'extUnixSk', 'shellJob', 'fileLocks', 'linkRemap', 'autoDedup'],
  ...['lazyPages', 'statusFd', 'pageServer', 'networkLock', 'manageCgroupsMode', 'lsmProfile', 'lsmMountContext'],
]
const OPTION = new RegExp(
  String.raw`\b(${OPTIONS.join('|')})\b(?:: '?(true|nftables|iptables|skip|strict|soft|full|ignore)\b'?)?`,
  'g',
)

/** What is said of an image, with the flags that people give in place of the options that they become. Pure. */
export const imageWords = (text: string): string =>
  text.replace(/, or say overwrite: true$/, '').replace(OPTION, (_, name: string, value: string | undefined) => {
    const flag = FLAGS[name] ?? name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
    return `--${flag}${value === undefined || value === 'true' ? '' : ` ${value}`}`
  })

/** Saves a container, or brings one back: what it fails with is told in the words of the command line. */
export async function inImageWords<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof LibcontainerError)) throw error
    const [message, hint] = [imageWords(error.message), error.hint && imageWords(error.hint)]
    if (message === error.message && hint === error.hint) throw error
    throw new LibcontainerError(error.code, message, { hint, cause: error })
  }
}
