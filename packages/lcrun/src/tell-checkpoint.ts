import { print, printJson } from '@libcontainer/cli'
import { isTerminal } from '@libcontainer/console'
import { type DumpResult, parseLog } from '@libcontainer/criu'
import { readText } from '@libcontainer/sys'

/** Tells people what a checkpoint took, and programs that ask; an engine hears nothing. */
export async function tellCheckpoint(
  { imageSize, stats, log }: DumpResult,
  imagesDir: string,
  json: boolean,
): Promise<void> {
  if (!json && !isTerminal(1)) return
  const phases = parseLog(await readText(log)).phases.map(({ name, start, end }) => ({ name, ms: ms(end - start) }))
  if (json) return await printJson({ imagesDir, imageSize, phases, ...(stats && { stats }) })
  const width = Math.max(0, ...phases.map(({ name }) => name.length))
  const rows = phases.map(({ name, ms }) => `${name.padEnd(width)} ${String(ms).padStart(7)} ms`)
  const stood = stats === undefined ? '' : `, stood still for ${ms(stats.frozenUs / 1e6)} ms`
  await print(`${[...rows, `${imagesDir}: ${inMiB(imageSize)}${stood}`].join('\n')}\n`)
}

const ms = (seconds: number): number => Math.round(seconds * 1000)

const inMiB = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`
