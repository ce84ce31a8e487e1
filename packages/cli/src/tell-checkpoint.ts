import { isTerminal } from '@libcontainer/console'
import type { CheckpointOptions } from '@libcontainer/container'
import { type DumpResult, type Log, parseLog } from '@libcontainer/criu'
import { readText, readTextIfPresent, sleep } from '@libcontainer/sys'
import { print, printJson } from './output.js'

/** How often the log is looked at, in ms. */
const INTERVAL = 200
/** As long as the name of the longest phase. */
const WIDTH = 'unlocking the network'.length

/**
 * Saves a container, and tells people at a terminal of each phase when it is over, and programs that ask for data; an engine hears nothing.
 *
 * @param json - as data, at the end, to whomever
 */
export async function telling(
  save: () => Promise<DumpResult>,
  { imagesDir, workDir = imagesDir, preDump }: Pick<CheckpointOptions, 'imagesDir' | 'workDir' | 'preDump'>,
  json: boolean,
): Promise<void> {
  const people = !json && isTerminal(1)
  const result = people ? await watched(save, `${workDir}/${preDump ? 'pre-dump' : 'dump'}.log`) : await save()
  if (people) return await print(`${imagesDir}: ${summary(result)}\n`)
  if (!json) return
  const { imageSize, stats } = result
  const phases = (await phasesOf(result.log)).map(({ name, start, end }) => ({ name, ms: ms(end - start) }))
  await printJson({ imagesDir, imageSize, phases, ...(stats && { stats }) })
}

const phasesOf = async (log: string): Promise<Log['phases']> => parseLog(await readText(log)).phases

async function watched(save: () => Promise<DumpResult>, log: string): Promise<DumpResult> {
  const over = new AbortController()
  // Of an earlier one, perhaps.
  const before = await readTextIfPresent(log)
  const saving = save().finally(() => over.abort())
  let told = 0
  const tell = async (phases: Log['phases']): Promise<void> => {
    for (const phase of phases.slice(told)) await print(`${row(phase)}\n`)
    told = Math.max(told, phases.length)
  }
  while (await passes(over.signal)) {
    const text = await readTextIfPresent(log)
    if (text !== undefined && text !== before) await tell(parseLog(text).phases.slice(0, -1))
  }
  const result = await saving
  await tell(await phasesOf(result.log))
  return result
}

/** Whether some time passes before the end. */
const passes = (signal: AbortSignal): Promise<boolean> =>
  sleep(INTERVAL, { signal }).then(
    () => true,
    () => false,
  )

const row = ({ name, start, end }: Log['phases'][number]): string =>
  `${name.padEnd(WIDTH)} ${String(ms(end - start)).padStart(7)} ms`

const summary = ({ imageSize, stats }: DumpResult): string => {
  const stood = stats === undefined ? '' : `, stood still for ${ms(stats.frozenUs / 1e6)} ms`
  return `${(imageSize / 2 ** 20).toFixed(1)} MiB${stood}`
}

const ms = (seconds: number): number => Math.round(seconds * 1000)
