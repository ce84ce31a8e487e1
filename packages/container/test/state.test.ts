import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ContainerConfig, Factory, resolveConfig } from '@libcontainer/container'
import { ConfigInvalid, parseJson, SyscallError, stringifyJson } from '@libcontainer/sys'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../../../test/support/index.js'
import { ContainerError, errorCodes, systemError } from '../src/errors.js'
import { type ContainerState, loadState, namespacePaths, parseState, saveState } from '../src/state/state.js'

const config = resolveConfig('demo', { rootfs: '/rootfs', hostname: 'demo' })
const state: ContainerState = {
  id: 'demo',
  init_process_pid: 4242,
  init_process_start: '18446744073709551615',
  created: '2026-01-02T03:04:05.678Z',
  cgroup_paths: { memory: '/sys/fs/cgroup/memory/libcontainer-demo', '': '/sys/fs/cgroup/unified/libcontainer-demo' },
  namespace_paths: namespacePaths(4242),
  config,
}
const json = (value: unknown): string => stringifyJson(value)
const broken = async (text: string, how: string | RegExp, id?: string): Promise<void> => {
  let error: unknown
  try {
    await parseState(text, '/state/demo/state.json', id)
  } catch (thrown) {
    error = thrown
  }
  expect(error).toMatchObject({
    name: 'ContainerError',
    code: 'SystemError',
    hint: 'the state is damaged or of another version: remove the container by force',
  })
  expect((error as Error).message).toMatch('/state/demo/state.json')
  expect((error as Error).message).toMatch(how)
}

describe('what a state must say', () => {
  test('ST-12 it is read as it was written', async () => {
    expect(await parseState(json(state), 'path', 'demo')).toEqual(parseJson(json(state)))
    expect((await parseState(json(state), 'path')).config.hostname).toBe('demo')
  })

  test('ST-14 a path for every kind of namespace, of the config or not', () => {
    expect(Object.keys(namespacePaths(7)).sort()).toEqual(['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'user', 'uts'])
    expect(namespacePaths(7).net).toBe('/proc/7/ns/net')
  })

  test('EV-009 truncated anywhere it is broken, and told so', async () => {
    const text = json(state)
    for (let length = 0; length < text.length; length += 7)
      await broken(text.slice(0, length), /not JSON|is not an object/)
  })

  test('EV-009 null, lists, words and numbers', async () => {
    for (const value of [null, 5, 'x', true]) await broken(json(value), 'is not an object')
    await broken('[]', 'is not an object')
    await broken('', 'is not JSON')
    await broken('\0\0\0', 'is not JSON')
  })

  test('EV-009 wrong types, field by field', async () => {
    const wrong: [string, unknown[]][] = [
      ['id', [5, null, undefined, ['demo']]],
      ['init_process_pid', [0, -1, 1.5, '4242', null, undefined]],
      ['init_process_start', [-5, 1.5, [7], null, undefined, '', '-1', '1 2', 'x', '123456789012345678901']],
      ['created', [5, null, {}]],
      ['cgroup_paths', [5, null, undefined, { memory: 5 }]],
      ['namespace_paths', [null, 'x', undefined, { net: {} }]],
      ['config', [null, 5, undefined, {}, []]],
    ]
    for (const [field, values] of wrong)
      for (const value of values)
        await broken(json({ ...state, [field]: value }), field.startsWith('id') ? 'id' : field)
  })

  test('EV-009 a config without its cgroups, namespaces or rootfs', async () => {
    const without = (change: object): string => json({ ...state, config: { ...config, ...change } })
    for (const cgroups of [undefined, null, 'x', {}, { path: 5 }])
      await broken(without({ cgroups }), 'config.cgroups.path')
    for (const namespaces of [undefined, null, {}, ['mnt'], [null], [{ kind: 'x' }]])
      await broken(without({ namespaces }), 'config.namespaces')
    await broken(without({ rootfs: undefined }), 'config.rootfs')
  })

  test('EV-009 a state that names the top of the cgroups would have the whole machine killed', async () => {
    for (const path of ['', '/', '.', '..', '/a/..', '/../', '/x\0'])
      await broken(json({ ...state, config: { ...config, cgroups: { path } } }), 'names no cgroup')
  })

  test('EV-009 the state of another container', async () => {
    await broken(json(state), 'does not name this container', 'other')
  })

  test('EV-009 fields that nobody knows are left alone', async () => {
    const more = { ...state, bundle: '/b', rootless: false, __proto__: undefined }
    expect(await parseState(json(more), 'path', 'demo')).toMatchObject({ id: 'demo', bundle: '/b' })
  })

  test('EV-198 prototype keys stay data', async () => {
    const hostile = json(state).replace('{', '{"__proto__":{"polluted":1},')
    const parsed = await parseState(hostile, 'path', 'demo')
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
    expect(parsed.id).toBe('demo')
  })

  test('EV-009 whatever is in the file: a state, or a SystemError', async () => {
    const value = fc.oneof(fc.json(), fc.string({ unit: 'binary' }))
    const changed = fc
      .tuple(fc.constantFrom(...Object.keys(state)), fc.anything({ maxDepth: 2 }))
      .map(([key, thing]) => stringify({ ...state, [key]: thing }))
    const cut = fc.tuple(fc.nat(2000), fc.nat(3), fc.string()).map(([at, remove, insert]) => {
      const text = json(state)
      return text.slice(0, at) + insert + text.slice(at + remove)
    })
    await fc.assert(
      fc.asyncProperty(fc.oneof(value, changed, cut), async text => {
        try {
          const parsed = await parseState(text, 'path', 'demo')
          expect(typeof parsed.config.cgroups.path).toBe('string')
          expect(parsed.init_process_pid).toBeGreaterThan(0)
        } catch (error) {
          expect(error).toMatchObject({ name: 'ContainerError', code: 'SystemError' })
        }
      }),
      { numRuns: 1000 },
    )
  })

  const stringify = (value: unknown): string => {
    try {
      return json(value)
    } catch {
      return ''
    }
  }
})

describe('on disk', () => {
  test('ST-12 a state is written whole, for its owner alone, and replaced without a trace', async () => {
    using directory = temporaryDirectory('state-')
    await saveState(directory.path, state)
    await saveState(directory.path, { ...state, init_process_pid: 5, namespace_paths: namespacePaths(5) })
    expect(readdirSync(directory.path)).toEqual(['state.json'])
    expect(statSync(join(directory.path, 'state.json')).mode & 0o7777).toBe(0o600)
    expect((await loadState('demo', directory.path)).init_process_pid).toBe(5)
  })

  test('ST-12 S21 limits beyond 2^53 survive', async () => {
    using directory = temporaryDirectory('state-')
    const rlimits = [{ type: 'RLIMIT_AS', soft: 2n ** 63n, hard: 18446744073709551615n }]
    await saveState(directory.path, { ...state, config: { ...config, rlimits } })
    expect(readFileSync(join(directory.path, 'state.json'), 'utf8')).toContain('18446744073709551615')
    expect((await loadState('demo', directory.path)).config.rlimits).toEqual(rlimits)
  })

  test('ST-12 a reader never sees half a state', async () => {
    using directory = temporaryDirectory('state-')
    await saveState(directory.path, state)
    let done = false
    const writer = (async () => {
      for (let i = 0; i < 100; i++) await saveState(directory.path, { ...state, created: 'x'.repeat(i * 300) })
      done = true
    })()
    let reads = 0
    for (; !done; reads++) await loadState('demo', directory.path)
    await writer
    expect(reads).toBeGreaterThan(10)
  })

  test('FA-13 ER-03 no state is no container', async () => {
    using directory = temporaryDirectory('state-')
    await expect(loadState('demo', directory.path)).rejects.toMatchObject({ code: 'ContainerNotExists', number: 2 })
    await expect(loadState('demo', join(directory.path, 'no'))).rejects.toMatchObject({ code: 'ContainerNotExists' })
  })

  test('FA-13 a state that cannot be read is a SystemError with its path', async () => {
    using directory = temporaryDirectory('state-')
    const factory = await Factory.open(directory.path)
    mkdirSync(join(directory.path, 'demo', 'state.json'), { recursive: true })
    await expect(factory.load('demo')).rejects.toMatchObject({
      code: 'SystemError',
      path: join(directory.path, 'demo/state.json'),
    })
  })
})

describe('the state root', () => {
  test('FA-01 it is made with its parents, for its owner alone', async () => {
    using directory = temporaryDirectory('root-')
    const path = join(directory.path, 'a', 'b')
    const factory = await Factory.open(`${path}/`)
    expect(factory.root).toBe(path)
    expect(statSync(path).mode & 0o7777).toBe(0o700)
    expect(factory.type()).toBe('libcontainer')
    expect(await factory.list()).toEqual([])
  })

  test('FA-01 EV-007 an empty or relative root, and / by any spelling', async () => {
    for (const root of ['', '.', 'state', '../state', '/', '//', '/.', '/..', '/../../..', '/a/..'])
      await expect(Factory.open(root), root).rejects.toMatchObject({ code: 'ConfigInvalid', field: 'root' })
    for (const root of [undefined, null, 5, {}])
      await expect(Factory.open(root as never)).rejects.toMatchObject({ field: 'root' })
    await expect(Factory.open('/a\0b')).rejects.toMatchObject({ field: 'root' })
  })

  test('FA-01 ER-10 a root that cannot be made is a SystemError with its path', async () => {
    using directory = temporaryDirectory('root-')
    writeFileSync(join(directory.path, 'file'), '')
    await expect(Factory.open(join(directory.path, 'file'))).rejects.toThrow(/directory/)
    await expect(Factory.open(join(directory.path, 'file', 'x'))).rejects.toMatchObject({
      code: 'SystemError',
      syscall: expect.any(String),
      path: expect.stringContaining(directory.path),
    })
  })

  test('EV-008 a root that others may write to is told to warn', async () => {
    using directory = temporaryDirectory('root-')
    const told: string[] = []
    const warn = (message: string): void => void told.push(message)
    await Factory.open(directory.path, { warn })
    expect(told).toEqual([])
    const { chmodSync } = await import('node:fs')
    chmodSync(directory.path, 0o777)
    await Factory.open(directory.path, { warn })
    expect(told).toEqual([expect.stringMatching(/mode 777.*chmod 700/)])
  })

  test('EV-009 EV-011 the list skips what is broken, with a warning, and what never started', async () => {
    using directory = temporaryDirectory('root-')
    const told: string[] = []
    const factory = await Factory.open(directory.path, { warn: message => void told.push(message) })
    const put = (id: string, text?: string): void => {
      mkdirSync(join(directory.path, id))
      if (text !== undefined) writeFileSync(join(directory.path, id, 'state.json'), text)
    }
    put('good', json({ ...state, id: 'good' }))
    put('also', json({ ...state, id: 'also' }))
    put('truncated', '{"id":')
    put('renamed', json(state))
    put('empty')
    put('not an id', '')
    writeFileSync(join(directory.path, 'a-file'), '')
    expect(await factory.list()).toEqual(['also', 'good'])
    expect(told.map(text => /(truncated|renamed|not an id)/.exec(text)?.[1]).sort()).toEqual([
      'not an id',
      'renamed',
      'truncated',
    ])
    await expect(factory.load('empty')).rejects.toMatchObject({ code: 'ContainerNotExists' })
    await expect(factory.load('truncated')).rejects.toMatchObject({ code: 'SystemError' })
  })

  test('EV-005 FA-13 load and remove look at the id first: no way out of the root', async () => {
    using directory = temporaryDirectory('root-')
    mkdirSync(join(directory.path, 'outside'))
    writeFileSync(join(directory.path, 'outside', 'state.json'), json({ ...state, id: 'outside' }))
    const factory = await Factory.open(join(directory.path, 'root'))
    const absent = { rootfs: '/' } as ContainerConfig
    for (const id of ['../outside', '.', '..', '', 'a/../../outside', 'outside\0']) {
      await expect(factory.load(id)).rejects.toMatchObject({ code: 'InvalidIdFormat' })
      await expect(factory.remove(id)).rejects.toMatchObject({ code: 'InvalidIdFormat' })
      await expect(factory.create(id, absent)).rejects.toMatchObject({ code: 'InvalidIdFormat' })
    }
    expect(readdirSync(join(directory.path, 'outside'))).toEqual(['state.json'])
  })
})

describe('errors', () => {
  test('ER-13 libcontainer’s codes have their numbers of 2015', () => {
    expect(errorCodes.map(code => new ContainerError(code, 'x').number)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    expect(errorCodes[0]).toBe('IdInUse')
    expect(errorCodes[8]).toBe('SystemError')
    for (const code of ['NotPaused', 'CgroupNotExist', 'AlreadyStarted'] as const)
      expect(new ContainerError(code, 'x').number).toBeUndefined()
  })

  test('ER-10 ER-13 a SystemError answers for its cause; a code that is there stays', () => {
    const cause = new SyscallError(-13, 'mount', { path: '/proc', step: 'step 3: mount proc', hint: 'be root' })
    const error = systemError("cannot start 'demo'", cause)
    expect(error).toMatchObject({
      code: 'SystemError',
      number: 8,
      errno: -13,
      syscall: 'mount',
      path: '/proc',
      step: 'step 3: mount proc',
      hint: 'be root',
      cause,
    })
    expect(error.message).toMatch(/^cannot start 'demo': step 3: mount proc: EACCES/)
    const config = new ConfigInvalid('x', 1, 'is bad')
    expect(systemError('x', config)).toBe(config)
    const inUse = new ContainerError('IdInUse', 'x')
    expect(systemError('x', inUse)).toBe(inUse)
    const bug = new TypeError('x')
    expect(systemError('x', bug)).toBe(bug)
    expect(systemError('x', 'thrown').message).toBe('thrown')
  })
})
