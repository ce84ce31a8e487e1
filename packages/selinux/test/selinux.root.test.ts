import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import {
  canonicalizeContext,
  checkContext,
  computeCreateContext,
  containerContexts,
  copyLevel,
  defaultContextWithLevel,
  defaultMode,
  genLabels,
  getBoolean,
  getEnforce,
  getFileLabel,
  getLabel,
  getPidLabel,
  getProcessLabel,
  type InitLabelsOptions,
  initLabels,
  isEnabled,
  isMls,
  type LabelKind,
  labelStep,
  listBooleans,
  parseContext,
  parseDenial,
  peerLabel,
  policyName,
  policyRoot,
  probe,
  relabel,
  releaseLabel,
  reserveLabel,
  setEnforce,
  setFileCreateLabel,
  setFileLabel,
  setProcessLabel,
  setThreadLabel,
  seUserByName,
  startLabelled,
  status,
} from '@libcontainer/selinux'
import { openLabelsStep, type ProgramOutput, socketPair, startProgram } from '@libcontainer/sys'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { requires, type TemporaryDirectory, temporaryDirectory } from '../../../test/support/index.js'

const needs = requires('root', 'lsm:selinux')
/** As the contexts file of the VM's policy has them. */
const processLabel = (level: string): string => `system_u:system_r:container_t:${level}`
const fileLabel = (level: string): string => `system_u:object_r:container_file_t:${level}`

let place: TemporaryDirectory
let options: InitLabelsOptions

beforeAll(() => {
  place = temporaryDirectory('selinux-')
  options = { directory: `${place.path}/levels` }
})
afterAll(() => place[Symbol.dispose]())

/** What a program under a label writes. The shell and its programs are copies with the label of the files that it may execute. */
async function under(label: string, ...argv: string[]): Promise<ProgramOutput> {
  const program = await startLabelled(argv, { label, cwd: '/', stdio: 'pipe' })
  return await program.output()
}

/** A program that a container of this level may execute: it needs nothing else. */
async function busybox(level: string): Promise<string> {
  const path = `${place.path}/busybox-${level.replaceAll(/\W/g, '-')}`
  writeFileSync(path, readFileSync('/bin/busybox'))
  chmodSync(path, 0o755)
  chmodSync(place.path, 0o755)
  await setFileLabel(path, fileLabel(level))
  await setFileLabel(place.path, fileLabel('s0'))
  return path
}

const current = async (): Promise<string> => readFileSync('/proc/self/attr/current', 'utf8').replace('\0', '')

test('SE-01 it is on, with the policy that the config names', needs, async () => {
  const { enabled, mode, policy, mls, policyVersion, unknown, reason } = await status()
  expect([enabled, mode, policy, mls, reason]).toEqual([true, 'enforcing', 'default', true, undefined])
  expect([await isEnabled(), await isMls(), await policyName(), await policyRoot()]).toEqual([
    true,
    true,
    'default',
    '/etc/selinux/default',
  ])
  expect(policyVersion).toBeGreaterThan(30)
  expect(['allow', 'deny', 'reject']).toContain(unknown)
  expect(await probe()).toMatchObject({
    selinux: { available: true, detail: 'enforcing, policy default' },
    contexts: { available: true, detail: processLabel('s0') },
  })
})

test('SE-02 the mode in force is told and changed, and that of the next boot is read', needs, async () => {
  expect(await getEnforce()).toBe('enforcing')
  try {
    await setEnforce('permissive')
    expect([await getEnforce(), readFileSync('/sys/fs/selinux/enforce', 'utf8')]).toEqual(['permissive', '0'])
  } finally {
    await setEnforce('enforcing')
  }
  expect(await getEnforce()).toBe('enforcing')
  await expect(setEnforce('disabled' as 'permissive')).rejects.toThrow(/^mode: must be enforcing or permissive/)
  const file = `${place.path}/config`
  for (const [text, mode] of [
    ['SELINUX=enforcing', 'enforcing'],
    ['SELINUX=Permissive\n', 'permissive'],
    ['# SELINUX=enforcing', 'disabled'],
  ] as const) {
    writeFileSync(file, text)
    expect(await defaultMode(file)).toBe(mode)
  }
  expect(await defaultMode(`${place.path}/absent`)).toBe('disabled')
})

test('booleans of the policy, as getsebool(8) has them', needs, async () => {
  const all = await listBooleans()
  expect(all.length).toBeGreaterThan(20)
  const { stdout } = spawnSync('getsebool', ['-a'], { encoding: 'utf8' })
  expect(stdout.trim().split('\n').sort()).toEqual(
    all.map(({ name, value }) => `${name} --> ${value ? 'on' : 'off'}`).sort(),
  )
  expect(await getBoolean(all[0]!.name)).toEqual(all[0])
  expect(await getBoolean('no_such_boolean')).toBeUndefined()
  await expect(getBoolean('../enforce')).rejects.toThrow(/^name: must be the name of a boolean/)
})

test('SE-14 contexts are checked, put in order and computed by the policy', needs, async () => {
  expect(await canonicalizeContext(fileLabel('s0:c2,c1'))).toBe(fileLabel('s0:c1,c2'))
  await checkContext(processLabel('s0:c1,c2'))
  for (const unknown of [
    'system_u:system_r:no_such_t:s0',
    'system_u:system_r:container_t:s0:c2000',
    'nobody_u:system_r:container_t:s0',
    'a:b:c',
  ])
    await expect(checkContext(unknown, 'processLabel'), unknown).rejects.toMatchObject({
      name: 'ConfigInvalid',
      field: 'processLabel',
      message: expect.stringContaining('is no context of the policy'),
    })
  // A file has the type of the directory that it is made in, a process that of its parent.
  const own = await current()
  const made = parseContext(await computeCreateContext(own, fileLabel('s0:c5'), 'file'))
  expect([made.type, made.role]).toEqual(['container_file_t', 'object_r'])
  expect(await computeCreateContext(own, own, 'process')).toBe(own)
  await expect(computeCreateContext(own, own, 'no_such_class')).rejects.toThrow(/^objectClass: is no class/)
  await expect(computeCreateContext(own, 'a:b:c', 'file')).rejects.toMatchObject({ name: 'ConfigInvalid' })
  expect(await copyLevel(processLabel('s0:c7,c8'), fileLabel('s0'))).toBe(fileLabel('s0:c7,c8'))
  expect(await copyLevel('', fileLabel('s0'))).toBe('')
  await expect(copyLevel('a:b:c:s0', fileLabel('s0'))).rejects.toThrow(/^source: /)
})

test(
  'SE-04 the labels of this thread: of files, keys, sockets, of what it executes; each is taken back',
  needs,
  async () => {
    const own = await current()
    expect([await getLabel(), await getLabel(process.pid), await getPidLabel(process.pid)]).toEqual([own, own, own])
    const label = fileLabel('s0:c9')
    const file = `${place.path}/created`
    const plain = `${place.path}/plain`
    try {
      await setThreadLabel('fscreate', label)
      expect(await getLabel('self', 'fscreate')).toBe(label)
      writeFileSync(file, '')
    } finally {
      await setThreadLabel('fscreate', '')
    }
    expect(await getLabel('self', 'fscreate')).toBeUndefined()
    writeFileSync(plain, '')
    expect(await getFileLabel(file)).toBe(label)
    expect(await getFileLabel(plain)).not.toBe(label)
    for (const kind of ['exec', 'keycreate', 'sockcreate'] as const) {
      try {
        await setThreadLabel(kind, own)
        expect(await getLabel('self', kind), kind).toBe(own)
      } finally {
        await setThreadLabel(kind, '')
      }
      expect(await getLabel('self', kind), kind).toBeUndefined()
    }
    await expect(setThreadLabel('exec', 'u:r:no_such_t:s0')).rejects.toMatchObject({
      code: 'EINVAL',
      hint: expect.stringContaining('no such context'),
    })
    await expect(setThreadLabel('prev' as 'exec', own)).rejects.toThrow(/^kind: can only be read/)
    await expect(getLabel('self', 'next' as LabelKind)).rejects.toThrow(/^kind: must be one of current/)
    await expect(getLabel(2 ** 22 - 1)).rejects.toMatchObject({ code: expect.stringMatching(/ENOENT|ESRCH/) })
  },
)

test('SE-04 the label of whoever is at the other end of a socket', needs, async () => {
  const [one, two] = socketPair()
  try {
    expect(await peerLabel(one)).toBe(await current())
  } finally {
    one.close()
    two.close()
  }
})

test('SE-11 the classic names: of processes, of files that are made, of files', needs, async () => {
  const label = fileLabel('s0:c11')
  try {
    await setProcessLabel(await current())
    expect(await getProcessLabel()).toBe(await current())
    await setFileCreateLabel(label)
    writeFileSync(`${place.path}/classic`, '')
  } finally {
    await setThreadLabel('exec', '')
    await setFileCreateLabel('')
  }
  expect([await getProcessLabel(), await getFileLabel(`${place.path}/classic`)]).toEqual(['', label])
  await setProcessLabel('')
  await setFileLabel(`${place.path}/classic`, fileLabel('s0'))
  expect(await getFileLabel(`${place.path}/classic`)).toBe(fileLabel('s0'))
  await expect(setFileLabel(`${place.path}/classic`, 'u:r:t')).rejects.toMatchObject({ code: 'EINVAL' })
})

test(
  'SE-07 SE-08 labels of new containers: types of the contexts file, and categories of their own',
  needs,
  async () => {
    const contexts = await containerContexts()
    expect(contexts).toMatchObject({ process: processLabel('s0'), file: fileLabel('s0') })
    const one = await initLabels([], options)
    const two = await initLabels(['type:container_init_t', 'filetype:container_ro_file_t'], options)
    try {
      const [a, b] = [parseContext(one.processLabel), parseContext(one.mountLabel)]
      expect(a).toMatchObject({ type: 'container_t', level: expect.stringMatching(/^s0:c\d+,c\d+$/) })
      expect(b).toMatchObject({ type: 'container_file_t', level: a.level })
      const [c, d] = [parseContext(two.processLabel), parseContext(two.mountLabel)]
      expect([c.type, d.type, c.level]).toEqual(['container_init_t', 'container_ro_file_t', d.level])
      expect(c.level).not.toBe(a.level)
      // One that shares.
      const shared = await initLabels([`level:${a.level}`, 'user:system_u', 'role:system_r'], options)
      expect(shared).toMatchObject({ processLabel: one.processLabel, mountLabel: one.mountLabel })
      await shared.release()
    } finally {
      await one.release()
      await two.release()
    }
    expect(parseContext((await initLabels([], { ...options, kind: 'init' })).processLabel).type).toBe(
      'container_init_t',
    )
    expect(parseContext((await initLabels([], { ...options, kind: 'kvm' })).processLabel).type).toBe('container_kvm_t')
    expect(await initLabels(['disable'], options)).toMatchObject({
      processLabel: '',
      mountLabel: fileLabel('s0:c1022,c1023'),
    })
    const none = { all: new Map<string, string>() }
    expect(await initLabels([], { ...options, contexts: none })).toMatchObject({ processLabel: '', mountLabel: '' })
    await expect(initLabels(['colour:red'], options)).rejects.toThrow(/^options\[0\]: must be disable, or one of/)
  },
)

test(
  'SE-09 SE-13 labels from one text; a label that is reserved is nobody else’s until it is released',
  needs,
  async () => {
    const { processLabel: label, release } = await genLabels(' type=container_t\tlevel:s0:c1,c2 ', options)
    expect(label).toBe(processLabel('s0:c1,c2'))
    await release()
    const narrow = { ...options, directory: `${place.path}/narrow` }
    await reserveLabel(processLabel('s0:c4,c5'), narrow)
    await reserveLabel('', narrow)
    expect(readFileSync(`${narrow.directory}/s0:c4,c5`, 'utf8')).toMatch(/^process /)
    await releaseLabel(processLabel('s0:c4,c5'), narrow)
    expect(() => readFileSync(`${narrow.directory}/s0:c4,c5`)).toThrow('ENOENT')
  },
)

test('SE-15 who a user is, and the context that his login begins with', needs, async () => {
  const { user, level } = await seUserByName('somebody')
  expect(user).toBe('unconfined_u')
  const from = 'system_u:system_r:local_login_t:s0'
  expect(await defaultContextWithLevel(user, 's0', from)).toBe('unconfined_u:unconfined_r:unconfined_t:s0')
  expect(level).toMatch(/^s0/)
  await expect(defaultContextWithLevel(user, 's0', 'a:b:c')).rejects.toMatchObject({ code: 'NoDefaultContext' })
  await expect(defaultContextWithLevel('../x', 's0', from)).rejects.toThrow(/^user: /)
})

test('SE-17 a program under a label, which this process does not get', needs, async () => {
  const level = 's0:c21,c22'
  const program = await busybox(level)
  const running = await startLabelled([program, 'sleep', '1000'], {
    label: processLabel(level),
    cwd: '/',
    stdio: 'null',
  })
  try {
    expect(await getLabel(running.pid)).toBe(processLabel(level))
    expect(await getLabel(running.pid, 'exec')).toBeUndefined()
  } finally {
    await running[Symbol.asyncDispose]()
  }
  const steps = [openLabelsStep, labelStep('exec', processLabel(level))]
  const again = await startProgram({ steps }, [program, 'cat', '/proc/self/attr/current'], { cwd: '/', stdio: 'pipe' })
  expect((await again.output()).stdout.replace('\0', '')).toBe(processLabel(level))
  expect(parseContext(await current()).type).toBe('unconfined_t')
  for (const [label, code] of [
    ['u:r:no_such_t:s0', 'EINVAL'],
    ['system_u:object_r:container_file_t:s0', 'EINVAL'],
  ] as const)
    await expect(under(label, program, 'true'), label).rejects.toMatchObject({
      code: expect.stringMatching(new RegExp(`${code}|EACCES`)),
      hint: expect.stringContaining('the policy'),
    })
  // Programs of the host are not a container's to begin with.
  await expect(under(processLabel(level), '/bin/true')).rejects.toMatchObject({ code: 'EACCES', syscall: 'execve' })
})

test(
  'two containers do not reach each other’s files and processes; a volume is made usable by relabelling; denials are told',
  needs,
  async () => {
    writeFileSync('/proc/sys/kernel/printk_ratelimit', '0')
    const [one, two] = [await initLabels([], options), await initLabels([], options)]
    const volume = `${place.path}/volume`
    mkdirSync(`${volume}/inner`, { recursive: true })
    writeFileSync(`${volume}/inner/file`, 'content')
    const levelOf = (label: string): string => parseContext(label).level!
    const [mine, theirs] = [await busybox(levelOf(one.processLabel)), await busybox(levelOf(two.processLabel))]
    const read = async (label: string, program: string): Promise<string> => {
      // No container may look for it from the top.
      const cat = await startLabelled([program, 'cat', 'inner/file'], { label, cwd: volume, stdio: 'pipe' })
      return (await cat.output()).stdout
    }
    const running = await startLabelled([mine, 'sleep', '1000'], { label: one.processLabel, cwd: '/', stdio: 'null' })
    try {
      // Files without the label of containers are nobody's.
      await setFileLabel(volume, 'system_u:object_r:user_home_t:s0')
      expect(await read(one.processLabel, mine)).toBe('')
      expect(await relabel(volume, one.mountLabel, { private: true })).toMatchObject({
        done: true,
        entries: 3,
        unsupported: 0,
      })
      expect([await read(one.processLabel, mine), await read(two.processLabel, theirs)]).toEqual(['content', ''])
      const { stderr } = await under(two.processLabel, theirs, 'kill', String(running.pid))
      expect(stderr).toMatch(/Permission denied|not permitted/)
      expect(await relabel(volume, one.mountLabel, { shared: true })).toMatchObject({ changed: 3 })
      expect([await read(one.processLabel, mine), await read(two.processLabel, theirs)]).toEqual(['content', 'content'])
      const { stdout } = spawnSync('dmesg', { encoding: 'utf8', maxBuffer: 1 << 26 })
      const denials = stdout.split('\n').flatMap(line => parseDenial(line) ?? [])
      expect(
        denials.find(({ source, objectClass }) => source === two.processLabel && objectClass === 'process'),
      ).toMatchObject({
        target: one.processLabel,
        permissions: ['signal'],
      })
      expect(denials.some(({ source, target }) => source === two.processLabel && target === one.mountLabel)).toBe(true)
      await expect(relabel(volume, 'system_u:object_r:no_such_t:s0')).rejects.toMatchObject({
        name: 'ConfigInvalid',
        field: 'label',
      })
    } finally {
      await running[Symbol.asyncDispose]()
      rmSync(volume, { recursive: true })
      await one.release()
      await two.release()
    }
  },
)

test('SE-19 a process that says so takes it for switched off', needs, async () => {
  const program = `
    import * as selinux from '@libcontainer/selinux'
    const before = await selinux.isEnabled()
    selinux.setDisabled()
    const { processLabel } = await selinux.initLabels()
    const relabelled = await selinux.relabel('/srv', '')
    console.log(JSON.stringify([before, await selinux.isEnabled(), (await selinux.status()).reason, processLabel, await selinux.getLabel() ?? null, relabelled.done]))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [output] = await once(child.stdout, 'data')
  expect(JSON.parse(String(output))).toEqual([true, false, 'this process has called setDisabled()', '', null, false])
})
