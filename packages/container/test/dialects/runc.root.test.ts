import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { readConfig, readConfig2026, validateShape, writeConfig2026 } from '@libcontainer/container'
import type { Profile } from '@libcontainer/seccomp'
import { parseJson, stringifyJson } from '@libcontainer/sys'
import { describe, expect, test } from 'vitest'
import { busyboxRootfs, requires, temporaryDirectory } from '../../../../test/support/index.js'
import { meaning } from './meaning.js'
import { bounding, sampleFolder } from './samples.js'

interface OciConfig {
  root: object
  process: object
  linux: object
  mounts: object[]
}

/** A bundle of an OCI sample, with busybox as its root. */
function bundle(path: string, name: string, script: string, change: (config: OciConfig) => void = () => {}): void {
  const config = JSON.parse(readFileSync(`${sampleFolder}/oci/${name}.json`, 'utf8')) as OciConfig
  Object.assign(config.root, { path: busyboxRootfs() })
  Object.assign(config.process, { terminal: false, args: ['/bin/sh', '-c', script] })
  change(config)
  writeFileSync(`${path}/config.json`, JSON.stringify({ ...config, ociVersion: '1.0.2' }))
}

describe('OCI samples, by runc', () => {
  const byRunc = requires('root', 'rootfs', 'program:runc')

  function runc(name: string, script: string): string[] {
    using place = temporaryDirectory('runc-')
    bundle(place.path, name, script)
    const id = `sample-${process.pid}-${name}`
    const { stdout, stderr, status } = spawnSync(
      'runc',
      ['--root', `${place.path}/state`, 'run', '-b', place.path, id],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: 20_000,
      },
    )
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    return stdout.trim().split('\n')
  }

  test('SA-09 default.json', byRunc, () => {
    const [hostname, caps, write] = runc('default', 'hostname; grep CapBnd /proc/self/status; touch /x 2>&1 || true')
    expect({ hostname, caps: bounding(caps) }).toEqual({ hostname: 'default', caps: 3 })
    expect(write).toMatch(/Read-only/)
  })

  test('SA-01 minimal.json', byRunc, () => {
    const [hostname, caps] = runc('minimal', 'hostname; grep CapBnd /proc/self/status')
    expect({ hostname, caps: bounding(caps) }).toEqual({ hostname: 'nsinit', caps: 14 })
  })

  test('SA-07 host-pid.json', byRunc, () => {
    expect(Number(runc('host-pid', 'readlink /proc/self')[0])).toBeGreaterThan(2)
  })

  test('SA-09 readonly.json', byRunc, () => {
    const [root, tmp] = runc('readonly', 'touch /x 2>&1; touch /tmp/x && echo written')
    expect(root).toMatch(/Read-only/)
    expect(tmp).toBe('written')
  })

  test('SA-09 seccomp.json', byRunc, () => {
    expect(runc('seccomp', 'mkdir /tmp/x 2>&1 || true')[0]).toMatch(/Operation not permitted/)
  })

  test('SA-09 hooks.json: they are run at both ends', byRunc, () => {
    const mark = '/run/sample-hooks-created'
    expect(runc('hooks', 'hostname')).toEqual(['hooks'])
    expect(() => readFileSync(mark)).toThrow(/ENOENT/)
  })

  test(
    'D-01 the config in the state.json that runc writes is read, and means the same when it is written again',
    byRunc,
    () => {
      using place = temporaryDirectory('runc-')
      const id = `oracle-${process.pid}`
      bundle(place.path, 'minimal', 'sleep 60', config => {
        const actions = ['KILL', 'ERRNO', 'TRAP', 'ALLOW', 'TRACE', 'LOG', 'KILL_THREAD', 'KILL_PROCESS']
        const ops = ['EQ', 'NE', 'GT', 'GE', 'LT', 'LE', 'MASKED_EQ']
        const names = ['acct', 'swapon', 'swapoff', 'reboot', 'sethostname', 'setdomainname', 'iopl', 'ioperm']
        const syscalls = [
          ...actions.map((action, i) => ({ names: [names[i]], action: `SCMP_ACT_${action}` })),
          ...ops.map((op, i) => ({
            names: ['personality'],
            action: 'SCMP_ACT_LOG',
            args: [
              { index: i % 6, value: 2 ** 40 + i, valueTwo: op === 'MASKED_EQ' ? 2 ** 40 : 0, op: `SCMP_CMP_${op}` },
            ],
          })),
        ]
        const linux = config.linux as object
        Object.assign(linux, {
          seccomp: {
            defaultAction: 'SCMP_ACT_ALLOW',
            architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_AARCH64'],
            syscalls,
          },
          resources: {
            memory: { limit: 1 << 26 },
            cpu: { shares: 512, quota: 50_000, period: 100_000 },
            pids: { limit: 64 },
          },
          cgroupsPath: `/${id}`,
          rootfsPropagation: 'rslave',
        })
        const data = {
          destination: '/mnt',
          type: 'bind',
          source: place.path,
          options: ['rbind', 'rslave', 'nosuid', 'ro'],
        }
        config.mounts.push(data)
        Object.assign(config, { annotations: { owner: 'test' } })
      })
      const runc = (...args: string[]): string =>
        execFileSync('runc', ['--root', `${place.path}/state`, ...args], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'pipe'],
          timeout: 20_000,
        })
      spawnSync('runc', ['--root', `${place.path}/state`, 'create', '-b', place.path, id], {
        stdio: 'ignore',
        timeout: 20_000,
      })
      let state: unknown
      try {
        state = parseJson(readFileSync(`${place.path}/state/${id}/state.json`, 'utf8'))
      } finally {
        runc('delete', '--force', id)
      }
      const { dialect, config, version } = readConfig(state)
      expect({ dialect, version }).toEqual({ dialect: '2026', version: expect.stringMatching(/^1\./) })
      expect(validateShape(config).map(String)).toEqual([])
      expect(config).toMatchObject({
        hostname: 'nsinit',
        namespaces: ['ipc', 'net', 'mnt', 'pid', 'uts'],
        cgroups: {
          path: `/${id}`,
          memory: { max: 1 << 26 },
          cpu: { shares: 512, quotaUs: 50_000, periodUs: 100_000 },
          pids: { max: 64 },
        },
        rootPropagation: 'rslave',
        labels: expect.arrayContaining(['owner=test']),
      })
      expect(config.mounts?.at(-1)).toEqual({
        destination: '/mnt',
        type: 'bind',
        source: place.path,
        options: ['rbind', 'ro', 'nosuid', 'rslave'],
      })
      const syscalls = (config.seccomp as Profile | undefined)?.syscalls ?? []
      expect(syscalls.slice(0, 8).map(({ names, action }) => `${names} ${action}`)).toEqual([
        'acct SCMP_ACT_KILL',
        'swapon SCMP_ACT_ERRNO',
        'swapoff SCMP_ACT_TRAP',
        'reboot SCMP_ACT_ALLOW',
        'sethostname SCMP_ACT_TRACE',
        'setdomainname SCMP_ACT_LOG',
        'iopl SCMP_ACT_KILL_THREAD',
        'ioperm SCMP_ACT_KILL_PROCESS',
      ])
      expect(syscalls.slice(8).map(({ args }) => args?.[0]?.op)).toEqual(
        ['EQ', 'NE', 'GT', 'GE', 'LT', 'LE', 'MASKED_EQ'].map(op => `SCMP_CMP_${op}`),
      )
      const again = readConfig2026(parseJson(stringifyJson(writeConfig2026({ config, version }))))
      expect(meaning(again.config)).toEqual(meaning(config))
    },
  )

  test('D-01 runc takes the config that is written for one of its own', byRunc, () => {
    using place = temporaryDirectory('runc-')
    const id = `written-${process.pid}`
    bundle(place.path, 'minimal', 'sleep 60', config => void Object.assign(config.linux, { cgroupsPath: `/${id}` }))
    const runc = (...args: string[]): string =>
      execFileSync('runc', ['--root', `${place.path}/state`, ...args], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: 20_000,
      })
    spawnSync('runc', ['--root', `${place.path}/state`, 'create', '-b', place.path, id], {
      stdio: 'ignore',
      timeout: 20_000,
    })
    try {
      const file = `${place.path}/state/${id}/state.json`
      const state = parseJson(readFileSync(file, 'utf8')) as object
      const { config } = readConfig(state)
      const rlimits = [{ type: 'RLIMIT_CORE', soft: 7, hard: 'unlimited' }] as const
      writeFileSync(file, stringifyJson({ ...state, config: writeConfig2026({ config: { ...config, rlimits } }) }))
      expect(JSON.parse(runc('state', id))).toMatchObject({ id, status: 'created' })
      runc('start', id)
      // What runc runs in it takes its capabilities from the config that it reads.
      const [hostname, caps, seccomp] = runc(
        'exec',
        id,
        '/bin/sh',
        '-c',
        'hostname; grep -E "^(CapBnd|Seccomp:)" /proc/self/status',
      ).split('\n')
      expect({ hostname, caps: bounding(caps), seccomp }).toEqual({
        hostname: 'nsinit',
        caps: 14,
        seccomp: 'Seccomp:\t0',
      })
      runc('update', '--pids-limit', '50', id)
      const updated = readConfig(parseJson(readFileSync(file, 'utf8'))).config
      expect(updated.cgroups?.pids).toEqual({ max: 50 })
      expect(updated.rlimits).toEqual([{ type: 'RLIMIT_CORE', soft: 7, hard: 18446744073709551615n }])
    } finally {
      runc('delete', '--force', id)
    }
  })
})
