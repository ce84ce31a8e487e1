import { isTerminal } from '@libcontainer/console'
import { encodeUtf8, stringifyJson, visibleJson, writeFd } from '@libcontainer/sys'

/** Writes text to standard output. */
export async function print(text: string): Promise<void> {
  await writeFd(1, encodeUtf8(text))
}

/** Writes a value as JSON, indented by tabs, and as ever without a newline at the end, but for people's eyes. */
export async function printJson(value: unknown): Promise<void> {
  await print(visibleJson(stringifyJson(value, '\t')) + (isTerminal(1) ? '\n' : ''))
}
