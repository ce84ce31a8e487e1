/** libcontainer's codes of 2015 by their numbers, each with its fixed text. */
const texts = [
  ['IdInUse', 'Id already in use'],
  ['InvalidIdFormat', 'Invalid format'],
  ['ContainerNotExists', 'Container does not exist'],
  ['ContainerPaused', 'Container paused'],
  ['ContainerNotStopped', 'Container is not stopped'],
  ['ContainerNotRunning', 'Container is not running'],
  ['ProcessNotExecuted', 'Process not executed'],
  ['ConfigInvalid', 'Invalid configuration'],
  ['SystemError', 'System error'],
] as const

/** The number of a code: 0 (`IdInUse`) to 8 (`SystemError`); `undefined` for codes that are younger than 2015. */
export function errorNumber(code: string): number | undefined {
  const index = texts.findIndex(([name]) => name === code)
  return index < 0 ? undefined : index
}

/** The fixed text of a code or of its number: `Id already in use`; of others `undefined`. */
export function errorText(code: string | number): string | undefined {
  const index = typeof code === 'number' ? code : errorNumber(code)
  return index === undefined ? undefined : texts[index]?.[1]
}
