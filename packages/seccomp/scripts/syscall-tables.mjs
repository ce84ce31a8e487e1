// Writes src/tables/ from the kernel's own headers (asm/unistd*.h):
//
//   node scripts/syscall-tables.mjs ROOT...
//
// Each ROOT is a folder that holds `<name>-linux-any/asm/` (the headers that zig carries, lib/libc/include) or
// `usr/<triple>/include/asm/` (Debian's linux-libc-dev-<arch>-cross packages, unpacked). The first ROOT that has an
// architecture gives its table, so the newest headers come first.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** From here on every architecture numbers its system calls alike: include/uapi/asm-generic/unistd.h. */
const COMMON_FROM = 424

/** Each table: where its header lies, the macros that its numbers are written with, what packaged headers lack, and which other it is much like. */
const TABLES = {
  x86_64: { files: ['x86-linux-any/asm/unistd_64.h'] },
  x32: { files: ['x86-linux-any/asm/unistd_x32.h'], macros: { __X32_SYSCALL_BIT: 0 }, like: 'x86_64' },
  x86: { files: ['x86-linux-any/asm/unistd_32.h'] },
  aarch64: { files: ['aarch64-linux-any/asm/unistd_64.h'] },
  arm: {
    files: ['arm-linux-any/asm/unistd-eabi.h', 'arm-linux-any/asm/unistd.h'],
    macros: { __NR_SYSCALL_BASE: 0, __ARM_NR_BASE: 0xf0000 },
    like: 'x86',
  },
  riscv64: { files: ['riscv-linux-any/asm/unistd_64.h'], like: 'aarch64' },
  loongarch64: { files: ['loongarch-linux-any/asm/unistd_64.h'], like: 'aarch64' },
  ppc: { files: ['powerpc-linux-any/asm/unistd_32.h'], like: 'x86' },
  ppc64: { files: ['powerpc-linux-any/asm/unistd_64.h'], like: 'ppc' },
  s390: { files: ['usr/s390x-linux-gnu/include/asm/unistd_32.h'], extra: { memfd_secret: 447 }, like: 'x86' },
  s390x: { files: ['s390x-linux-any/asm/unistd_64.h'], like: 's390' },
  mips: { files: ['mips-linux-any/asm/unistd_o32.h'], macros: { __NR_Linux: 0 }, like: 'x86' },
  mips64: { files: ['mips-linux-any/asm/unistd_n64.h'], macros: { __NR_Linux: 0 }, like: 'x86_64' },
  mips64n32: { files: ['mips-linux-any/asm/unistd_n32.h'], macros: { __NR_Linux: 0 }, like: 'mips64' },
  parisc: { files: ['usr/hppa-linux-gnu/include/asm/unistd_32.h'], extra: { cacheflush: 356 }, like: 'x86' },
  parisc64: { files: ['usr/hppa-linux-gnu/include/asm/unistd_64.h'], extra: { cacheflush: 356 }, like: 'parisc' },
  m68k: { files: ['m68k-linux-any/asm/unistd_32.h'], like: 'x86' },
  sh: { files: ['usr/sh4-linux-gnu/include/asm/unistd_32.h'], like: 'x86' },
}

const roots = process.argv.slice(2)
if (roots.length === 0) throw new Error('usage: node scripts/syscall-tables.mjs ROOT...')
const out = join(import.meta.dirname, '..', 'src', 'tables')
mkdirSync(out, { recursive: true })

const tables = Object.fromEntries(Object.entries(TABLES).map(([name, source]) => [name, readTable(name, source)]))
const common = commonTail()
write('common', common)
for (const [name, table] of Object.entries(tables)) write(name, table, TABLES[name].like)

/** The names of each number, ascending. */
function readTable(table, { files, macros = {}, extra = {} }) {
  const names = new Map(Object.entries(extra))
  for (const file of files) {
    const root = roots.find(dir => existsSync(join(dir, file)))
    if (root === undefined) throw new Error(`no ${file} (for ${table}) below ${roots.join(', ')}`)
    for (const line of readFileSync(join(root, file), 'utf8').split('\n')) {
      const match = /^#define\s+__(?:ARM_)?NR_(?:Linux_)?(\w+)\s+(.+?)\s*$/.exec(line)
      if (!match || /^(?:BASE|SYSCALL_|OABI_|Linux)/.test(match[1])) continue
      const value = number(match[2], macros, names)
      if (value !== undefined) names.set(match[1], value)
    }
  }
  const byNumber = new Map()
  for (const [name, value] of names) byNumber.set(value, [...(byNumber.get(value) ?? []), name])
  return [...byNumber].sort(([a], [b]) => a - b)
}

/** The value of `12`, `(BASE + 12)`, `(BASE+12)` or of the name of an earlier system call. */
function number(text, macros, names) {
  const sum = /^\(?\s*(?:(\w+)\s*\+)?\s*(0x[\da-f]+|\d+)\s*\)?$/i.exec(text)
  if (sum) {
    if (sum[1] === undefined) return Number(sum[2])
    if (sum[1] in macros) return macros[sum[1]] + Number(sum[2])
  }
  const alias = /^__NR_(\w+)$/.exec(text)
  if (alias && names.has(alias[1])) return names.get(alias[1])
  throw new Error(`cannot read the number of a system call: ${text}`)
}

/** What the newest architectures say above COMMON_FROM; a number with two names there would be a contradiction. */
function commonTail() {
  const tail = new Map()
  for (const table of Object.values(tables)) {
    for (const [nr, [name]] of table) {
      if (nr < COMMON_FROM || nr >= 512) continue
      if ((tail.get(nr) ?? name) !== name) throw new Error(`two names for ${nr}: ${tail.get(nr)}, ${name}`)
      tail.set(nr, name)
    }
  }
  return [...tail].sort(([a], [b]) => a - b).map(([nr, name]) => [nr, [name]])
}

/** `0 read write` for consecutive numbers from 0, `=alias` for a second name, `/x86:3-9` for what another has, `-name @` for the common tail without a name. */
function text(table, like) {
  const words = []
  let next
  let tail = false
  let copied
  for (const [nr, [name, ...aliases]] of table) {
    if (nr <= copied) continue
    if (table !== common && nr >= COMMON_FROM && nr < 512) {
      if (!tail) words.push(...tailWords(table))
      tail = true
      next = undefined
      continue
    }
    if (nr !== next) words.push(nr)
    const run = like && runOf(new Map(table), nr, new Map(tables[like]))
    if (run !== undefined) {
      words.push(`/${like}:${run.first}-${run.last}`)
      copied = nr + run.last - run.first
      next = copied + 1
      continue
    }
    words.push(name, ...aliases.map(alias => `=${alias}`))
    next = nr + 1
  }
  return words.join(' ')
}

/** What another table has under the same names and as far from each other, from a number on; undefined where it is too little. */
function runOf(table, nr, other) {
  const same = at => String(table.get(nr + at)) === String(other.get(first + at)) && nr + at < COMMON_FROM
  const first = [...other].find(([, names]) => String(names) === String(table.get(nr)))?.[0]
  if (first === undefined) return undefined
  let length = 0
  for (let at = 0; same(at) && first + at < COMMON_FROM; at++) if (table.has(nr + at)) length = at + 1
  return length < 4 ? undefined : { first, last: first + length - 1 }
}

function tailWords(table) {
  const own = new Set(table.map(([nr]) => nr))
  const last = Math.max(...[...own].filter(nr => nr < 512))
  // Headers that are older than the tail say nothing about what came after them.
  return [...common.filter(([nr]) => nr <= last && !own.has(nr)).map(([, [name]]) => `-${name}`), '@']
}

function write(name, table, like) {
  const source = `// Made by scripts/syscall-tables.mjs from the kernel's headers: not for editing.\nexport const ${name} =\n  '${text(table, like)}'\n`
  writeFileSync(join(out, `${name}.ts`), source)
}
