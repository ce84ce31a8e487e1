import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { exampleSpec, specProblems, validateSpec } from '@libcontainer/oci'
import { Ajv, type ValidateFunction } from 'ajv'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileSchema } from '../../../scripts/compile-schema.mjs'
import { definitions, type Type } from '../src/schema.js'
import { refusal } from './support.js'

const folder = fileURLToPath(new URL('../schema/', import.meta.url))

/** OCI's own schema, compiled by ajv. */
function official(document: string): ValidateFunction {
  const ajv = new Ajv({ strict: false, allErrors: true })
  for (const name of readdirSync(folder).filter(each => each.endsWith('.json'))) {
    // A reference of theirs lacks its slash; nothing uses it, but ajv looks.
    const text = readFileSync(folder + name, 'utf8').replaceAll('"#definitions', '"#/definitions')
    const { $schema: _, ...schema } = JSON.parse(text) as Record<string, unknown> & { properties?: object }
    for (const foreign of ['solaris', 'windows', 'vm', 'zos', 'freebsd'])
      delete (schema.properties as Record<string, unknown> | undefined)?.[foreign]
    ajv.addSchema(schema, name)
  }
  return ajv.getSchema(document)!
}

const verdict = official('config-schema.json')
const isRightForOci = (value: unknown): boolean => verdict(value) as boolean
const isRightForUs = (value: unknown): boolean => specProblems(value).length === 0

describe('the table and the schema it was made of', () => {
  test('OC-17 the table is what the schema says today', () => {
    const words = (text: string): string => text.replace(/\s+|,(?=\s*[}\]])|\n/g, '')
    const committed = readFileSync(new URL('../src/schema.ts', import.meta.url), 'utf8')
    expect(words(committed)).toBe(words(compileSchema()))
  })

  test('the schema’s own samples are judged as it judges them', () => {
    const minimal = { ociVersion: '1.0.0', root: { path: 'rootfs' } }
    const good = [{ ociVersion: '1.0.0' }, minimal, { ...minimal, process: { args: ['sh'], cwd: '/' } }, exampleSpec()]
    const linux = (part: object): object => ({ ...minimal, linux: part })
    const bad = [
      null,
      [],
      'config',
      {},
      linux({ resources: { hugepageLimits: [{ limit: 209715200, pageSize: '2mB' }] } }),
      linux({ netDevices: { eth0: { name: 23 } } }),
      linux({ resources: { rdma: { mlx5: { hcaHandles: 'not a uint32' } } } }),
    ]
    for (const value of good) expect([value, isRightForOci(value), isRightForUs(value)]).toEqual([value, true, true])
    for (const value of bad) expect([value, isRightForOci(value), isRightForUs(value)]).toEqual([value, false, false])
  })
})

/* Values by the table, of which some are wrong: each of them is shown to both. */

const numbers: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  uint16: fc.integer({ min: 0, max: 0xffff }),
  uint32: fc.integer({ min: 0, max: 0xffffffff }),
  int32: fc.integer(),
  uint64: fc.maxSafeNat(),
  int64: fc.maxSafeInteger(),
  integer: fc.integer(),
  positive: fc.integer({ min: 1 }),
}

const wrong = fc.oneof(
  fc.constantFrom<unknown>('', 'x', '7', 0.5, -1, 2 ** 40, true, [], [1], {}, { x: 1 }, [null], ['a', 2]),
  fc.string(),
)

function valueFor(type: Type, depth: number): fc.Arbitrary<unknown> {
  const right = ((): fc.Arbitrary<unknown> => {
    if (Array.isArray(type)) return fc.constantFrom(...(type as string[]))
    if (type instanceof RegExp) return fc.constantFrom('RLIMIT_CPU', 'c', '2MB', '0-3, 7', 'MB:0=1')
    if (typeof type === 'string') {
      if (type === 'string') return fc.string()
      if (type === 'boolean') return fc.boolean()
      return numbers[type] ?? objectOf(type, depth)
    }
    const [part] = Object.values(type) as [Type]
    if ('[]' in type) return fc.array(valueFor(part, depth), { maxLength: 2, minLength: part === 'string' ? 1 : 0 })
    const key = part === 'TimeOffset' ? fc.constantFrom('monotonic', 'boottime') : fc.string({ minLength: 1 })
    return fc.dictionary(key, valueFor(part, depth), { maxKeys: 2 })
  })()
  return fc.oneof({ weight: 250, arbitrary: right }, { weight: 1, arbitrary: wrong })
}

function objectOf(name: string, depth: number): fc.Arbitrary<object> {
  const fields = Object.entries(definitions[name]!).filter(([key]) => depth > 0 || key.endsWith('!'))
  return fc.record(Object.fromEntries(fields.map(([key, type]) => [key.replace('!', ''), valueFor(type, depth - 1)])), {
    requiredKeys: fields.filter(([key]) => key.endsWith('!')).map(([key]) => key.slice(0, -1)),
  })
}

/** Whether all that ajv finds is where we take more than the schema, on purpose: see scripts/compile-schema.mjs. */
function isWider(): boolean {
  return (verdict.errors ?? []).every(({ instancePath, keyword }) => {
    if (keyword === 'required') return /\/(pids|seccomp)$/.test(instancePath)
    if (keyword === 'enum') return /\/(rootfsPropagation|defaultAction)$/.test(instancePath)
    // Whoever compiles the filter says so.
    if (keyword === 'minItems') return instancePath.endsWith('/names')
    return keyword === 'maximum' && instancePath.endsWith('/fileMode')
  })
}

test('OC-17 what the table finds sound is what ajv finds sound by the official schema', () => {
  fc.assert(
    fc.property(objectOf('Spec', 6), value => {
      const [theirs, ours] = [isRightForOci(value), isRightForUs(value)]
      if (theirs === ours) return true
      return ours && isWider()
    }),
    { numRuns: 1000 },
  )
})

describe('what the copy is', () => {
  test('OC-17 unknown fields and the sections of other systems are ignored, whatever is in them', () => {
    const value = {
      ...exampleSpec(),
      'org.example': 1,
      windows: 5,
      solaris: [],
      freebsd: { jail: 1 },
      vm: '',
      zos: 0,
      process: { ...exampleSpec().process, commandLine: 7, user: { uid: 1, username: 9 }, whatever: {} },
    }
    const spec = validateSpec(value)
    expect(Object.keys(spec)).not.toContain('windows')
    expect(spec.process!.user).toEqual({ uid: 1 })
    expect(Object.keys(spec.process!)).not.toContain('commandLine')
  })

  test('OC-17 ociVersion is not compared', () => {
    for (const ociVersion of ['0.1.0', '1.0.2-dev', '9.9.9', 'anything'])
      expect(validateSpec({ ociVersion }).ociVersion).toBe(ociVersion)
  })

  test('null is as good as absent, as the encoders of engines mean it', () => {
    expect(validateSpec({ ociVersion: '1', linux: null, mounts: null, hostname: null })).toEqual({ ociVersion: '1' })
    expect(refusal(() => validateSpec({ ociVersion: null })).field).toBe('ociVersion')
    expect(refusal(() => validateSpec({ ociVersion: '1', mounts: [null] })).field).toBe('mounts[0]')
    expect(refusal(() => validateSpec({ ociVersion: '1', annotations: { a: null } })).field).toBe('annotations.a')
  })

  test('EV-198 keys of the prototype are data in every map', () => {
    const text =
      '{"ociVersion":"1","annotations":{"__proto__":"a","constructor":"b"},"linux":{"sysctl":{"__proto__":"1"},' +
      '"resources":{"unified":{"__proto__":"2"},"rdma":{"__proto__":{"hcaHandles":1}}},"netDevices":{"__proto__":{"name":"x"}}}}'
    const { annotations, linux } = validateSpec(JSON.parse(text))
    expect(Object.getPrototypeOf(annotations)).toBe(null)
    expect(Object.entries(annotations!)).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ])
    for (const map of [linux!.sysctl, linux!.resources!.unified, linux!.resources!.rdma, linux!.netDevices])
      expect(Object.keys(map!)).toEqual(['__proto__'])
    expect(({} as { name?: string }).name).toBeUndefined()
  })

  test('a value that answers otherwise when it is asked again is asked once', () => {
    let asked = 0
    const value = {
      ociVersion: '1',
      root: {
        get path() {
          return asked++ === 0 ? '/a' : '/b'
        },
      },
    }
    expect(validateSpec(value).root!.path).toBe('/a')
    expect(asked).toBe(1)
  })
})

describe('what is said of a fault', () => {
  const fault = (value: object): { field: string; message: string; hint?: string } => {
    const { value: _, ...rest } = refusal(() => validateSpec({ ociVersion: '1.3.0', ...value }))
    return rest
  }

  test('EV-199 numbers: floats, negative ones and those beyond their type, with their place', () => {
    const limit = (type: unknown) =>
      fault({ process: { cwd: '/', rlimits: [{ type: 'RLIMIT_CPU', soft: type, hard: 1 }] } })
    for (const bad of [0.5, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60, 2n ** 64n, '5'])
      expect(limit(bad).field).toBe('process.rlimits[0].soft')
    expect(limit('5')).toEqual({
      field: 'process.rlimits[0].soft',
      message: 'process.rlimits[0].soft: must be a whole number from 0 to 18446744073709551615 (got "5")',
      hint: 'write it without quotes',
    })
    const sound = { cwd: '/', rlimits: [{ type: 'RLIMIT_CPU', soft: 2n ** 64n - 1n, hard: 2n ** 64n - 1n }] }
    expect(validateSpec({ ociVersion: '1', process: sound }).process!.rlimits![0]!.hard).toBe(2n ** 64n - 1n)
  })

  test('EV-200 half of a surrogate pair is no text', () => {
    expect(fault({ root: { path: '/a\ud800b' } }).message).toContain('half of a surrogate pair')
    expect(validateSpec({ ociVersion: '1', root: { path: '/😀' } }).root!.path).toBe('/😀')
  })

  test('EV-030 an unknown namespace type', () => {
    expect(fault({ linux: { namespaces: [{ type: 'net' }] } })).toEqual({
      field: 'linux.namespaces[0].type',
      message: 'linux.namespaces[0].type: must be one of mount, pid, network, uts, ipc, user, cgroup, time (got "net")',
    })
  })

  test('EV-026 an unknown rootfsPropagation, and the kernel’s eight words for known ones', () => {
    expect(fault({ linux: { rootfsPropagation: 'hidden' } }).field).toBe('linux.rootfsPropagation')
    for (const word of ['private', 'rslave', 'rshared', 'runbindable'])
      expect(validateSpec({ ociVersion: '1', linux: { rootfsPropagation: word } })).toBeTruthy()
  })

  test('EV-180 an unknown action, operator, architecture, flag: with the word that was meant', () => {
    const seccomp = (part: object) => fault({ linux: { seccomp: { defaultAction: 'SCMP_ACT_ALLOW', ...part } } })
    expect(seccomp({ defaultAction: 'allow' })).toMatchObject({
      field: 'linux.seccomp.defaultAction',
      hint: 'write SCMP_ACT_ALLOW',
    })
    expect(seccomp({ architectures: ['amd64'] }).field).toBe('linux.seccomp.architectures[0]')
    expect(seccomp({ architectures: ['x86_64'] }).hint).toBe('write SCMP_ARCH_X86_64')
    expect(seccomp({ flags: ['SECCOMP_FILTER_FLAG_NEW'] }).field).toBe('linux.seccomp.flags[0]')
    const call = { names: ['a'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 1, op: '==' }] }
    expect(seccomp({ syscalls: [call] }).field).toBe('linux.seccomp.syscalls[0].args[0].op')
  })

  test('EV-104 EV-107 EV-109 EV-110 EV-112 words of process and linux that are none', () => {
    const process = (part: object) => fault({ process: { cwd: '/', ...part } }).field
    expect(process({ rlimits: [{ type: 'NOFILE', soft: 1, hard: 1 }] })).toBe('process.rlimits[0].type')
    expect(process({ scheduler: { policy: 'SCHED_FAST' } })).toBe('process.scheduler.policy')
    expect(process({ scheduler: {} })).toBe('process.scheduler.policy')
    expect(process({ ioPriority: { class: 'IDLE' } })).toBe('process.ioPriority.class')
    expect(fault({ process: { cwd: '/', ioPriority: { class: 'IDLE' } } }).hint).toBe('write IOPRIO_CLASS_IDLE')
    expect(fault({ linux: { memoryPolicy: { mode: 'MPOL_FAR' } } }).field).toBe('linux.memoryPolicy.mode')
    expect(fault({ linux: { personality: { domain: 'SOLARIS' } } }).field).toBe('linux.personality.domain')
  })

  test('EV-111 CPU lists with letters', () => {
    expect(fault({ process: { cwd: '/', execCPUAffinity: { initial: '0-a' } } }).field).toBe(
      'process.execCPUAffinity.initial',
    )
  })

  test('EV-125 a hook whose time-out is 0 or less', () => {
    const hook = (timeout: number) => fault({ hooks: { poststop: [{ path: '/bin/true', timeout }] } })
    expect(hook(0).message).toBe('hooks.poststop[0].timeout: must be a whole number from 1 on (got 0)')
    expect(hook(-5).field).toBe('hooks.poststop[0].timeout')
  })

  test('EV-161 a newline in a schema of resctrl', () => {
    expect(fault({ linux: { intelRdt: { memBwSchema: 'MB:0=1\nL3:0=f' } } }).field).toBe('linux.intelRdt.memBwSchema')
  })

  test('what must be there, lists and objects that are none', () => {
    expect(fault({ root: {} })).toMatchObject({ message: 'root.path: must be given (got undefined)' })
    expect(fault({ process: {} }).field).toBe('process.cwd')
    expect(fault({ process: { cwd: '/', args: 'sh -c x' } }).hint).toBe('write it in square brackets')
    expect(fault({ process: { cwd: '/', args: ['sleep', 5] } })).toMatchObject({
      field: 'process.args[1]',
      hint: 'write it in quotes',
    })
    expect(fault({ linux: [] }).message).toBe('linux: must be an object (got [])')
    expect(fault({ root: { path: 'r', readonly: 'true' } }).hint).toBe('write it without quotes')
  })

  test('all faults are told, in the order of the schema', () => {
    const fields = specProblems({ ociVersion: 1, hostname: 2, root: {}, process: { cwd: 3 } }).map(each => each.field)
    expect(fields).toEqual(['ociVersion', 'hostname', 'root.path', 'process.cwd'])
  })
})
