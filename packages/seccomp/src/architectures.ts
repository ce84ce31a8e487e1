import { ConfigInvalid } from '@libcontainer/sys'
import { aarch64 } from './tables/aarch64.js'
import { arm } from './tables/arm.js'
import { loongarch64 } from './tables/loongarch64.js'
import { m68k } from './tables/m68k.js'
import { mips } from './tables/mips.js'
import { mips64 } from './tables/mips64.js'
import { mips64n32 } from './tables/mips64n32.js'
import { parisc } from './tables/parisc.js'
import { parisc64 } from './tables/parisc64.js'
import { ppc } from './tables/ppc.js'
import { ppc64 } from './tables/ppc64.js'
import { riscv64 } from './tables/riscv64.js'
import { s390 } from './tables/s390.js'
import { s390x } from './tables/s390x.js'
import { sh } from './tables/sh.js'
import { x32 } from './tables/x32.js'
import { x86 } from './tables/x86.js'
import { x86_64 } from './tables/x86_64.js'

/** The bit that marks a call of the x32 ABI, whose audit architecture is x86_64's: asm/unistd.h. */
export const X32_BIT = 0x40000000

const LE = 0x40000000
const WORD64 = 0x80000000
const N32 = 0x20000000

/** What the compiler has to know about an architecture. */
export interface Architecture {
  /** `AUDIT_ARCH_*` of linux/audit.h, which the kernel puts into `seccomp_data.arch`. */
  readonly audit: number
  /** Whether arguments are 64 bits wide; of narrower ones only the low word is compared. */
  readonly wide: boolean
  readonly littleEndian: boolean
  /** The number of the table's number 0. */
  readonly base: number
  /** Where another family of numbers begins, which does not grow with the first one. */
  readonly split?: number
  /** The table, as src/syscalls.ts reads it. */
  readonly table: string
}

function architecture(audit: number, wide: boolean, table: string, base = 0, split?: number): Architecture {
  const littleEndian = (audit & LE) !== 0
  const entry = { audit: audit >>> 0, wide, littleEndian, base, table }
  return split === undefined ? entry : { ...entry, split }
}

/** Every architecture that OCI names, by OCI's name in small letters without `SCMP_ARCH_`. */
const ARCHITECTURES = {
  x86: architecture(3 | LE, false, x86),
  x86_64: architecture(62 | WORD64 | LE, true, x86_64),
  // From 512 on lie the calls that x32 needed versions of its own of; new calls follow x86_64's numbers.
  x32: architecture(62 | WORD64 | LE, false, x32, X32_BIT, X32_BIT + 512),
  // From 0xf0000 on lie the calls that only arm has: asm/unistd.h.
  arm: architecture(40 | LE, false, arm, 0, 0xf0000),
  aarch64: architecture(183 | WORD64 | LE, true, aarch64),
  mips: architecture(8, false, mips, 4000),
  mips64: architecture(8 | WORD64, true, mips64, 5000),
  mips64n32: architecture(8 | WORD64 | N32, false, mips64n32, 6000),
  mipsel: architecture(8 | LE, false, mips, 4000),
  mipsel64: architecture(8 | WORD64 | LE, true, mips64, 5000),
  mipsel64n32: architecture(8 | WORD64 | LE | N32, false, mips64n32, 6000),
  ppc: architecture(20, false, ppc),
  ppc64: architecture(21 | WORD64, true, ppc64),
  ppc64le: architecture(21 | WORD64 | LE, true, ppc64),
  riscv64: architecture(243 | WORD64 | LE, true, riscv64),
  loongarch64: architecture(258 | WORD64 | LE, true, loongarch64),
  s390: architecture(22, false, s390),
  s390x: architecture(22 | WORD64, true, s390x),
  parisc: architecture(15, false, parisc),
  parisc64: architecture(15 | WORD64, true, parisc64),
  m68k: architecture(4, false, m68k),
  sh: architecture(42 | LE, false, sh),
  sheb: architecture(42, false, sh),
} as const satisfies Record<string, Architecture>

/** An architecture's short name: OCI's without `SCMP_ARCH_`, in small letters. */
export type Arch = keyof typeof ARCHITECTURES

/** Every architecture whose system calls this package knows. */
export const architectures = Object.keys(ARCHITECTURES) as readonly Arch[]

export function architectureOf(arch: Arch): Architecture {
  if (!Object.hasOwn(ARCHITECTURES, arch)) {
    throw new ConfigInvalid('arch', arch, `must be one of ${architectures.join(', ')}`)
  }
  return ARCHITECTURES[arch]
}

/** The short name of `SCMP_ARCH_X86_64`; undefined for what OCI does not name. */
export function archOfOci(name: string): Arch | undefined {
  const short = name.startsWith('SCMP_ARCH_') ? name.slice('SCMP_ARCH_'.length) : ''
  const arch = short.toLowerCase()
  return short === arch.toUpperCase() && Object.hasOwn(ARCHITECTURES, arch) ? (arch as Arch) : undefined
}

/** `SCMP_ARCH_X86_64` for `x86_64`. */
export function ociArch<A extends Arch>(arch: A): `SCMP_ARCH_${Uppercase<A>}` {
  return `SCMP_ARCH_${arch.toUpperCase() as Uppercase<A>}`
}

/** The architecture whose programs a kernel of `audit` runs natively. */
export function archOfAudit(audit: number): Arch | undefined {
  return architectures.find(arch => arch !== 'x32' && ARCHITECTURES[arch].audit === audit >>> 0)
}

const COMPANIONS: Partial<Record<Arch, readonly Arch[]>> = {
  x86_64: ['x86'],
  aarch64: ['arm'],
  s390x: ['s390'],
  mips64: ['mips64n32', 'mips'],
  mipsel64: ['mipsel64n32', 'mipsel'],
}

/** The architectures whose programs a kernel of `arch` commonly runs besides its own. */
export function companionsOf(arch: Arch): readonly Arch[] {
  return COMPANIONS[arch] ?? []
}
