import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { run, works } from './run.mjs'

/** As struct lc_image of native/quickjs/host.h begins: the mark, how much of the heap is used, and how much it takes to make it. */
const MARK = Buffer.from('\x7flc-image-0001\r\n', 'latin1')
const PEAK = 24
/** More than the rest of that structure. */
const HEAD = 1024

/** What is reserved before anybody knows how much is needed. */
const MOST = 32 * 1024 * 1024

/**
 * Links an executable, lets it make its engine, and puts that into its data. First with more room than it can need, to learn what it needs.
 *
 * Where the machine cannot run the executable, it is left without an image: it then makes its engine at every start.
 *
 * @param {{ runner: string[] | undefined, place: (bytes: number) => Promise<void>, link: () => Promise<void>, output: string, modules: string[] }} how - `place` reserves
 *   the image's room; `runner` is the command that runs the executable, before its path; `modules` are the files of the bytecode, in the order of
 *   the executable's table
 */
export async function linkWithImage({ runner, place, link, output, modules }) {
  await place(runner === undefined ? HEAD : MOST)
  await link()
  if (runner === undefined) return
  const input = Buffer.concat(modules.flatMap(file => sized(readFileSync(file))))
  const make = () => run([...runner, output, '--write-image'], { input })
  const peak = Number((await make()).readBigUInt64LE(PEAK))
  await place(HEAD + peak + 4096)
  await link()
  const image = await make()
  const file = readFileSync(output)
  const at = file.indexOf(MARK)
  if (at < 0 || file.indexOf(MARK, at + 1) >= 0) throw new Error(`${output}: the place of the image is not to be found`)
  const fd = openSync(output, 'r+')
  writeSync(fd, image, 0, image.length, at)
  closeSync(fd)
}

/** As native/quickjs/modules.c takes it. */
function sized(bytes) {
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(BigInt(bytes.length))
  return [size, bytes]
}

/** The assembly that reserves the place. */
export function writePlace(file, bytes) {
  const mark = [...MARK].join(', ')
  writeFileSync(
    file,
    `\t.data\n\t.balign 4096\n\t.global lc_image, lc_image_end\nlc_image:\n\t.byte ${mark}\n\t.zero ${bytes - MARK.length}\nlc_image_end:\n` +
      '\t.section .note.GNU-stack,"",%progbits\n',
  )
}

/** The command that runs programs of an architecture here: none for this machine's own, an emulator for another's. */
export async function runnerFor(arch) {
  if (arch === process.arch) return []
  const machine = { x64: 'x86_64', arm64: 'aarch64' }[arch]
  for (const emulator of [`qemu-${machine}-static`, `qemu-${machine}`])
    if (await works(emulator, '--version')) return [emulator]
  return undefined
}
