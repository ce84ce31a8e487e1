import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { requires } from './support/index.js'

const top = fileURLToPath(new URL('../', import.meta.url))

/** A call of each package that needs the kernel, with its module as `it`. */
const calls: Record<string, string> = {
  '@libcontainer/sys': "it.readText('/proc/self/comm')",
  '@libcontainer/namespaces': 'it.inspect()',
  '@libcontainer/cgroups': "it.Cgroup.create('/libcontainer-import')",
  '@libcontainer/capabilities': "it.getProcess('self')",
  '@libcontainer/mount': "it.mount('tmpfs', '/nowhere')",
  '@libcontainer/devices': "it.deviceFromPath('/dev/null')",
  '@libcontainer/console': 'it.newConsole(0, 0)',
  '@libcontainer/seccomp': 'it.seccompSupport()',
  '@libcontainer/user': 'it.currentUser()',
  '@libcontainer/intelrdt': 'it.Resctrl.open()',
  '@libcontainer/keys': "it.keyringId('user')",
  '@libcontainer/selinux': 'it.status()',
  '@libcontainer/netlink': 'it.Netlink.open()',
  '@libcontainer/init': 'it.initProgram()',
  '@libcontainer/container': "it.Factory.open('/nowhere/libcontainer')",
  libcontainer: "it.Factory.open('/nowhere/libcontainer')",
}

/** What a program below the top prints, where node_modules has the packages. */
function run(source: string): unknown {
  mkdirSync(join(top, '.cache'), { recursive: true })
  const folder = mkdtempSync(join(top, '.cache/import-'))
  try {
    writeFileSync(join(folder, 'program.mjs'), source)
    const { stdout, stderr } = spawnSync(process.execPath, [join(folder, 'program.mjs')], { encoding: 'utf8' })
    if (stdout === '') throw new Error(stderr)
    return JSON.parse(stdout)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe('D-06 on another system', () => {
  test.each(['darwin', 'win32', 'freebsd'])('%s: every package is imported, and says at the first call', platform => {
    const outcomes = run(`
      Object.defineProperty(process, 'platform', { value: '${platform}' })
      const outcomes = {}
      ${Object.entries(calls)
        .map(
          ([name, call]) => `{
            const it = await import('${name}')
            try {
              await ${call}
              outcomes['${name}'] = 'done'
            } catch ({ code, message }) {
              outcomes['${name}'] = code + ': ' + message
            }
          }`,
        )
        .join('\n')}
      console.log(JSON.stringify(outcomes))`)
    const refusal = `ERR_UNSUPPORTED_PLATFORM: libcontainer runs on Linux, not on ${platform}`
    expect(outcomes).toEqual(Object.fromEntries(Object.keys(calls).map(name => [name, refusal])))
  })

  test('the command line says it, too', () => {
    const outcome = run(`
      Object.defineProperty(process, 'platform', { value: 'darwin' })
      const said = []
      process.stderr.write = text => said.push(String(text)) > 0
      process.on('exit', status => console.log(JSON.stringify({ status, said: said.join('') })))
      process.argv.splice(2, Infinity, 'state')
      await import('${join(top, 'packages/nsinit/dist/node/main.js')}')`)
    expect(outcome).toMatchObject({ status: 1 })
    expect((outcome as { said: string }).said).toMatch(/^nsinit: libcontainer runs on Linux, not on darwin\nhint: /)
  })

  test('what only computes works there', () => {
    const answers = run(`
      Object.defineProperty(process, 'platform', { value: 'darwin' })
      const { parseMountInfo } = await import('@libcontainer/mount')
      const { compile, defaultProfile } = await import('@libcontainer/seccomp')
      const { toMask } = await import('@libcontainer/capabilities')
      const { getExecUser } = await import('@libcontainer/user')
      console.log(JSON.stringify([
        parseMountInfo('22 1 8:1 / / rw - ext4 /dev/sda1 rw\\n').length,
        compile(defaultProfile({ arch: 'x86_64' }), { arch: 'x86_64' }).filter.length > 100,
        String(toMask(['CAP_CHOWN'])),
        getExecUser('7', {}, '', '').uid,
      ]))`)
    expect(answers).toEqual([1, true, '1', 7])
  })
})

const facilities = [
  'namespaces',
  'cgroups',
  'capabilities',
  'mount',
  'devices',
  'console',
  'seccomp',
  'user',
  'keys',
  'netlink',
  'init',
]

describe('D-05 each package loads its own binding, and that of sys', () => {
  test.each([...facilities, 'sys'])(
    '%s: none when it is imported, at most these two when it is used',
    requires('root'),
    name => {
      const { imported, used } = run(`
      import { readFileSync } from 'node:fs'
      const bindings = () => [...new Set(
        [...readFileSync('/proc/self/maps', 'utf8').matchAll(/(\\w+)(\\.glibc|\\.musl)?\\.node$/gm)].map(match => match[1])
      )].filter(name => ${JSON.stringify([...facilities, 'sys'])}.includes(name)).sort()
      const it = await import('@libcontainer/${name}')
      const imported = bindings()
      try {
        const made = await ${calls[`@libcontainer/${name}`]}
        await made?.destroy?.()
      } catch (error) {
        if (error.code !== 'ENOENT') throw error
      }
      console.log(JSON.stringify({ imported, used: bindings() }))`) as { imported: string[]; used: string[] }
      expect(imported).toEqual([])
      expect(used.filter(one => one !== name && one !== 'sys')).toEqual([])
    },
  )
})

test('MP-02 libcontainer loads no binding when it is imported', () => {
  const loaded = run(`
    import { readFileSync } from 'node:fs'
    await import('libcontainer')
    await import('nsinit')
    console.log(JSON.stringify(/[.]node$/m.test(readFileSync('/proc/self/maps', 'utf8'))))`)
  expect(loaded).toBe(false)
})
