import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory } from '../support/index.js'

/** What a file of it holds before anybody was there. */
export const SECRET = 'secret of the host\n'

const files = ['file', 'null', 'ptmx', 'console', 'passwd', 'group', 'sub/file', 'sub/ptmx'] as const

/** Names below a directory; what a link leads to is not below it. */
function below(path: string): string[] {
  return readdirSync(path, { withFileTypes: true }).flatMap(entry =>
    entry.isDirectory()
      ? [entry.name, ...below(join(path, entry.name)).map(name => join(entry.name, name))]
      : [entry.name],
  )
}

/** A tree of the host's, open to everybody: what is done to it is seen, and in no other way could a container reach it. */
export class Victim implements Disposable {
  readonly #directory = temporaryDirectory('victim-')
  #before: readonly string[] = []
  /** Beside the tree: what a test has of its own. */
  readonly place = this.#directory.path
  readonly path = join(this.place, 'victim')

  constructor() {
    chmodSync(this.place, 0o755)
    this.restore()
  }

  /** As it was, after a weakened plan. */
  restore(): void {
    rmSync(this.path, { recursive: true, force: true })
    mkdirSync(join(this.path, 'sub'), { recursive: true })
    for (const path of [this.path, join(this.path, 'sub')]) chmodSync(path, 0o777)
    for (const name of files) {
      writeFileSync(join(this.path, name), SECRET)
      chmodSync(join(this.path, name), 0o666)
    }
    this.#before = this.#look()
  }

  /** A file of it. */
  file(name: string): string {
    return join(this.path, name)
  }

  /** What a link to it says: by its name, or by climbing. */
  ways(name = ''): readonly [string, string] {
    const path = join(this.path, name)
    return [path, `${'../'.repeat(24)}${path.slice(1)}`]
  }

  /** What was changed, made or removed since. */
  changes(): string[] {
    const now = this.#look()
    return [
      ...this.#before.filter(line => !now.includes(line)).map(line => `gone: ${line}`),
      ...now.filter(line => !this.#before.includes(line)).map(line => `new: ${line}`),
    ]
  }

  #look(): string[] {
    return ['.', ...below(this.path)].sort().map(name => {
      const path = join(this.path, name)
      const stat = lstatSync(path)
      const content = stat.isFile() ? readFileSync(path, 'utf8') : stat.isSymbolicLink() ? readlinkSync(path) : ''
      // A directory's size and times tell of what was in it for a moment, too.
      return [name, stat.mode.toString(8), stat.uid, stat.gid, stat.mtimeMs, stat.ino, stat.rdev, content].join(' ')
    })
  }

  [Symbol.dispose](): void {
    this.#directory[Symbol.dispose]()
  }
}
