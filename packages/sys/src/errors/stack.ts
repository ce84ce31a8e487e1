/** A call on the way to where a stack was captured. */
export interface Frame {
  /** The npm package that the file belongs to, such as `@libcontainer/mount`; `''` where that cannot be seen. */
  readonly package: string
  /** `''` at the top of a module. */
  readonly function: string
  /** As the engine names it: a path or a `file:` URL. */
  readonly file: string
  readonly line: number
}

/**
 * The calls that led here, the innermost first.
 *
 * @param skip - how many of them to leave out, this function's own not counted. Default: 0
 */
export function captureStack(skip = 0): Frame[] {
  return parseStack(new Error('stack').stack).slice(1 + skip)
}

/** The frames in the text of an error's stack: of V8 and of QuickJS alike. What is no frame of a file is left out. */
export function parseStack(stack: string | undefined): Frame[] {
  const frames: Frame[] = []
  for (const text of (stack ?? '').split('\n')) {
    const match = /^\s*at (?:(.*?) \()?(.+?):(\d+)(?::\d+)?\)?$/.exec(text)
    if (match === null) continue
    const [, called = '', file = '', line] = match
    frames.push({
      package: packageOf(file),
      function: called.replace(/^(?:async|new) |^(?:Module|Object)\.|^<(?:anonymous|eval)>$/g, ''),
      file,
      line: Number(line),
    })
  }
  return frames
}

/** By the folders that packages lie in: `node_modules/`, or `packages/` of a work tree, whose own are of one scope. */
function packageOf(file: string): string {
  const installed = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]
  if (installed !== undefined) return installed
  const own = /(?:^|\/)packages\/([^/]+)\/(?:src|dist)\//.exec(file)?.[1]
  if (own === undefined) return ''
  return own === 'libcontainer' || own === 'nsinit' || own === 'lcrun' ? own : `@libcontainer/${own}`
}
