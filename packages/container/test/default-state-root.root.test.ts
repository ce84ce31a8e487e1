import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defaultStateRoot } from '@libcontainer/container'
import { ids } from '@libcontainer/sys'
import { expect, test } from 'vitest'
import { requires, temporaryDirectory } from '../../../test/support/index.js'

const UID = 54321

test('RL-04 root’s state has a place of its own', requires('root'), async () => {
  if (ids().euid === 0) expect(await defaultStateRoot('program', '/run/program')).toBe('/run/program')
})

test(
  'RL-04 an ordinary user’s lies in what its session was given: 0700, and kept from being swept',
  requires('root', 'reachable'),
  () => {
    using directory = temporaryDirectory('state-root-')
    chmodSync(directory.path, 0o755)
    const runtime = join(directory.path, 'runtime')
    mkdirSync(runtime, { mode: 0o700 })
    chownSync(runtime, UID, UID)
    const program = `import { defaultStateRoot } from '@libcontainer/container'; console.log(await defaultStateRoot('program', '/run/program'))`
    const asked = (): string => {
      const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
        cwd: fileURLToPath(new URL('..', import.meta.url)),
        env: { XDG_RUNTIME_DIR: runtime },
        uid: UID,
        gid: UID,
        encoding: 'utf8',
      })
      expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
      return stdout.trim()
    }
    // Twice: the second finds it.
    for (let i = 0; i < 2; i++) {
      expect(asked()).toBe(join(runtime, 'program'))
      const { mode, uid } = statSync(join(runtime, 'program'))
      expect([(mode & 0o7777).toString(8), uid]).toEqual(['1700', UID])
    }
  },
)

test(
  'RL-04 root of a user namespace keeps it where its user does, unless that is root',
  requires('root', 'namespace:user'),
  () => {
    using directory = temporaryDirectory('state-root-')
    chmodSync(directory.path, 0o700)
    const program = `import { defaultStateRoot } from '@libcontainer/container'; console.log(await defaultStateRoot('program', '/run/program'))`
    const asked = (user: string): string => {
      const command = ['--user', '--map-root-user', process.execPath, '--input-type=module', '-e', program]
      const { stdout, stderr, status } = spawnSync('unshare', command, {
        cwd: fileURLToPath(new URL('..', import.meta.url)),
        env: { PATH: process.env.PATH, XDG_RUNTIME_DIR: directory.path, USER: user },
        encoding: 'utf8',
      })
      expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
      return stdout.trim()
    }
    expect(asked('somebody')).toBe(join(directory.path, 'program'))
    expect(asked('root')).toBe('/run/program')
  },
)
