/* A terminal obeys what is written to it: text that a container has chosen, such as the name of a process, is shown, and never sent as it is. */

/** All control characters, those of C1 too: a terminal may take one of them for the two of C0 that mean the same. */
const CONTROL = /\p{Cc}/gu
const CONTROL_BUT_BLANK = /[^\P{Cc}\t\n]/gu

const names: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r' }

const name = (character: string): string =>
  names[character] ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`

/** One line of text, in which every control character is visible: `\x1b` for the one that begins a terminal's commands. */
export const visibleLine = (text: string): string => text.replace(CONTROL, name)

/** The same for text of several lines: ends of lines and tabs stay as they are. */
export const visibleText = (text: string): string => text.replace(CONTROL_BUT_BLANK, name)

/** JSON as a terminal may show it: it leaves the control characters from DEL on as they are. What it says stays the same. */
export const visibleJson = (json: string): string =>
  json.replace(/[\x7f-\x9f]/g, each => `\\u00${each.charCodeAt(0).toString(16)}`)
