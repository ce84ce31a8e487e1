import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as libcontainer from 'libcontainer'
import { describe, expect, test } from 'vitest'
import { requires } from './support/index.js'

/** What all packages have in common. */
const folder = fileURLToPath(new URL('../packages/', import.meta.url))
const names = readdirSync(folder).filter(name => existsSync(`${folder}${name}/package.json`))
const npmName = (name: string) => (['libcontainer', 'nsinit', 'lcrun'].includes(name) ? name : `@libcontainer/${name}`)
const native = names.filter(name => existsSync(`${folder}${name}/binding.gyp`))

interface Common {
  features(): libcontainer.sys.Features
  probe(): Promise<libcontainer.sys.Probe>
}
const load = async (name: string): Promise<Common & Record<string, unknown>> => await import(npmName(name))

/** What a program of its own prints as JSON, in this work tree. */
function program(script: string, options: string[] = []): unknown {
  const { stdout, stderr, status } = spawnSync(process.execPath, [...options, '--input-type=module', '-e', script], {
    encoding: 'utf8',
    cwd: fileURLToPath(new URL('.', import.meta.url)),
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return JSON.parse(stdout)
}

describe.each(names)('%s', name => {
  test('D-10 features: words by subject, frozen, the same at every call, without a binding', async () => {
    const { features } = await load(name)
    const words = features()
    expect(words).not.toBeInstanceOf(Promise)
    expect(features()).toEqual(words)
    expect(Object.isFrozen(words)).toBe(true)
    expect(Object.keys(words).length).toBeGreaterThan(0)
    for (const [subject, list] of Object.entries(words)) {
      expect(Object.isFrozen(list), subject).toBe(true)
      expect(list.length, subject).toBeGreaterThan(0)
      for (const word of list) expect(word).toBeTypeOf('string')
      expect(new Set(list).size, subject).toBe(list.length)
    }
    const loaded = `const { features } = await import('${npmName(name)}'); const words = features()
      const { readFileSync } = await import('node:fs')
      console.log(JSON.stringify([words, /\\.node$/m.test(readFileSync('/proc/self/maps', 'utf8'))]))`
    expect(program(loaded)).toEqual([words, false])
  })

  test('D-10 probe: each thing is there, or is not for a reason; frozen', async () => {
    const { probe } = await load(name)
    const answers = await probe()
    expect(Object.isFrozen(answers)).toBe(true)
    expect(Object.keys(answers).length).toBeGreaterThan(0)
    for (const [what, answer] of Object.entries(answers)) {
      expect(Object.isFrozen(answer), what).toBe(true)
      if (answer.available)
        expect(Object.keys(answer).filter(key => !['available', 'detail'].includes(key))).toEqual([])
      else expect(answer.reason, what).toMatch(/\w/)
    }
  })

  test('D-07 no function has a twin that blocks', async () => {
    expect(Object.keys(await load(name)).filter(key => /Sync$/.test(key))).toEqual([])
  })

  test('D-13 codes are those of 2015 and their kin, not the names of other eras', async () => {
    expect(Object.keys(await load(name)).filter(key => /^Err[A-Z]/.test(key))).toEqual([])
  })

  test('D-06 MP-02 importing it on another system succeeds; what needs Linux says so, and features and probe answer', async () => {
    const elsewhere = `Object.defineProperty(process, 'platform', { value: 'darwin' })
      const { features, probe } = await import('${npmName(name)}')
      const { sys } = await import('libcontainer')
      const found = Object.entries(await probe())
      let refusal
      try { sys.ids() } catch (error) { refusal = [error.code, error instanceof sys.LibcontainerError] }
      console.log(JSON.stringify({ features: Object.keys(features()).length > 0, there: found.filter(([, answer]) => answer.available).map(([what]) => what), refusal }))`
    expect(program(elsewhere)).toEqual({
      features: true,
      there: [],
      refusal: ['ERR_UNSUPPORTED_PLATFORM', true],
    })
  })
})

test.each(native)('D-05 %s: its probe loads its own binding and that of sys, and no other', name => {
  const script = `const { probe } = await import('${npmName(name)}'); await probe()
    const { readFileSync } = await import('node:fs')
    const maps = [...readFileSync('/proc/self/maps', 'utf8').matchAll(/\\/(\\w+)\\.(?:\\w+\\.)?node$/gm)].map(match => match[1])
    console.log(JSON.stringify([...new Set(maps)]))`
  const loaded = program(script) as string[]
  expect(loaded.filter(one => one !== name && one !== 'sys')).toEqual([])
  expect(loaded).toContain('sys')
})

test('D-02 what users of 2015 met keeps its name', async () => {
  const { Container, Factory, Process } = libcontainer
  const has = (owner: object, methods: string[]) => methods.filter(method => !(method in owner))
  expect(has(Factory.prototype, ['create', 'load', 'type'])).toEqual([])
  const container = [
    'start',
    'run',
    'set',
    'destroy',
    'pause',
    'resume',
    'signal',
    'processes',
    'stats',
    'status',
    'state',
    'config',
    'id',
  ]
  const own = Object.getOwnPropertyNames(Container.prototype)
  expect(container.filter(name => !own.includes(name) && !/\bid\b|\bconfig\b/.test(name))).toEqual([])
  expect(has(Process.prototype, ['wait', 'signal'])).toEqual([])
  expect([...libcontainer.errorCodes]).toEqual([
    'IdInUse',
    'InvalidIdFormat',
    'ContainerNotExists',
    'ContainerPaused',
    'ContainerNotStopped',
    'ContainerNotRunning',
    'ProcessNotExecuted',
    'ConfigInvalid',
    'SystemError',
  ])
})

test(
  'D-04 init is static and has no engine; a container leaves the namespaces of this process as they are',
  requires('root', 'rootfs'),
  async () => {
    const init = readFileSync(`${folder}init/prebuilds/linux-${process.arch}/init`)
    expect(init.includes('ld-musl') || init.includes('ld-linux')).toBe(false)
    expect(init.length).toBeLessThan(200_000)
    const before = namespacesOfThreads()
    const { busyboxRootfs, temporaryDirectory } = await import('./support/index.js')
    using place = temporaryDirectory('d04-')
    const factory = await libcontainer.Factory.open(place.path)
    const container = await factory.create('d04', { rootfs: busyboxRootfs() })
    try {
      const process = await container.run({ args: ['/bin/true'] })
      expect(await process.wait()).toMatchObject({ code: 0 })
    } finally {
      await container.destroy({ force: true })
    }
    expect(new Set(namespacesOfThreads())).toEqual(new Set(before))
  },
)

test(
  'D-10 probe as an ordinary user: what is refused has the reason and what would bring it',
  requires('root', 'reachable', 'program:setpriv'),
  () => {
    const script = `const { probe } = await import('libcontainer'); console.log(JSON.stringify(await probe()))`
    const user = ['--reuid', '65534', '--regid', '65534', '--clear-groups', process.execPath, '--input-type=module']
    const { stdout, stderr, status } = spawnSync('setpriv', [...user, '-e', script], {
      encoding: 'utf8',
      cwd: fileURLToPath(new URL('.', import.meta.url)),
    })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const answers = JSON.parse(stdout) as Record<string, libcontainer.sys.Availability>
    expect(answers['capabilities.CAP_SYS_ADMIN']).toEqual({
      available: false,
      reason: expect.stringContaining('effective set'),
      hint: expect.stringContaining('root'),
    })
    for (const what of ['container.privileged', 'devices.mknod', 'mount.mounts', 'sys.freshProcfs']) {
      expect(answers[what], what).toMatchObject({ available: false, hint: expect.any(String) })
    }
    for (const what of ['sys.openat2', 'seccomp.filters', 'user.passwd', 'init.program']) {
      expect(answers[what], what).toMatchObject({ available: true })
    }
  },
)

test('MP-03 versions of all packages, and the versions of OCI’s specification', () => {
  const { packages, oci, engine } = libcontainer.versions()
  const wanted = names.filter(name => !['nsinit', 'lcrun', 'cli'].includes(name))
  expect(Object.keys(packages).sort()).toEqual(wanted.map(npmName).sort())
  for (const name of wanted) {
    const { version } = JSON.parse(readFileSync(`${folder}${name}/package.json`, 'utf8')) as { version: string }
    expect(packages[npmName(name)]).toBe(version)
  }
  expect(oci).toEqual({ min: '1.0.0', max: '1.3.0' })
  expect(engine).toBe(`node ${process.versions.node}`)
  expect([packages, oci].every(Object.isFrozen)).toBe(true)
})

test('MP-02 a program that imports all and plans a container loads no binding', () => {
  const script = `const libcontainer = await import('libcontainer')
    const mount = await import('libcontainer/mount')
    libcontainer.versions(); libcontainer.features()
    mount.parseMountOptions(['ro']); libcontainer.capabilities.toMask(['CAP_KILL'])
    const { readFileSync } = await import('node:fs')
    const before = /\\.node$/m.test(readFileSync('/proc/self/maps', 'utf8'))
    libcontainer.sys.ids()
    console.log(JSON.stringify([before, /\\/sys(?:\\.\\w+)?\\.node$/m.test(readFileSync('/proc/self/maps', 'utf8'))]))`
  expect(program(script)).toEqual([false, true])
})

/** The namespaces of each thread of this process, each told once. */
function namespacesOfThreads(): string[] {
  const kinds = readdirSync('/proc/self/ns')
  return readdirSync('/proc/self/task').flatMap(task =>
    kinds.map(kind => readlinkSync(`/proc/self/task/${task}/ns/${kind}`)),
  )
}
