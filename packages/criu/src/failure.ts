import { errnoName, type LibcontainerError, readTextIfPresent } from '@libcontainer/sys'
import { CriuFailed } from './errors.js'
import type { OpenImages } from './images.js'
import { parseLog } from './log.js'
import type { CriuResp } from './messages.js'
import { remedyOf } from './remedies.js'

/** As many lines of CRIU's as a message shows. */
const SHOWN = 5

/** What CRIU says of its own failure: from its log, or else its answer. */
export async function failure(
  what: keyof typeof verbs,
  open: OpenImages,
  { response, cause }: { readonly response?: CriuResp | undefined; readonly cause?: unknown },
): Promise<CriuFailed> {
  const file = open.log.slice(open.log.lastIndexOf('/') + 1)
  const text = (await readTextIfPresent(file, { at: open.work }).catch(() => undefined)) ?? ''
  const { errors, phase } = parseLog(text)
  const errno = response?.crErrno || undefined
  const causes = errors.map(line => line.text).filter(text => !/^(Dumping|Pre-dumping|Restoring) FAILED\.$/.test(text))
  const said = causes.slice(0, SHOWN)
  const own =
    cause instanceof Error
      ? cause.message
      : said.join('; ') ||
        response?.crErrmsg?.trim() ||
        (errno === undefined ? 'it does not say why' : errnoName(errno))
  return new CriuFailed(`CRIU could not ${verbs[what]}${phase === undefined ? '' : `, ${phase}`}: ${own}`, {
    lines: errors,
    phase,
    log: text === '' ? undefined : open.log,
    errno,
    hint: remedyOf(causes) ?? (cause as LibcontainerError | undefined)?.hint,
    cause,
  })
}

const verbs = {
  dump: 'dump the processes',
  'pre-dump': 'pre-dump the processes',
  restore: 'restore the processes',
  'page-server': 'take pages',
  'lazy-pages': 'serve pages',
}
