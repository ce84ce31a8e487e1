import { isOn, openLog, type Parsed } from '@libcontainer/cli'
import { environment, O_APPEND, O_CREAT, O_TRUNC, O_WRONLY, openFile } from '@libcontainer/sys'

/**
 * Where messages go beside errors: the file of `--log-file`, made anew, or of the environment's `log`, as in 2014, to whose end is written;
 * else standard error.
 */
export async function openLogOf(parsed: Pick<Parsed, 'flags'>): Promise<void> {
  const anew = parsed.flags.get('log-file')
  const path = anew || environment.log
  const flags = O_WRONLY | O_CREAT | (anew ? O_TRUNC : O_APPEND)
  const to = path ? await openFile(path, flags, anew ? 0o644 : 0o755) : undefined
  await openLog({ program: 'nsinit', debug: isOn(parsed, 'debug'), to })
}
