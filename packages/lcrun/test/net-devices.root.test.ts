import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { requires, together } from '../../../test/support/index.js'
import { Bundle, either, hosts, specOf, type TestHost } from './hosts.js'

const own = `l${process.pid}`
const links = (): string[] => readdirSync('/sys/class/net')

const needing = (host: TestHost) => together(host.needs, requires('program:ip'))

/** A device of the host with an address, up; it goes with its peer. */
function device(act: (name: string) => void): void {
  const [name, peer] = [`${own}d`, `${own}p`]
  execFileSync('ip', ['link', 'add', name, 'mtu', '1400', 'type', 'veth', 'peer', 'name', peer])
  try {
    execFileSync('ip', ['addr', 'add', '10.231.10.1/24', 'dev', name])
    execFileSync('ip', ['link', 'set', name, 'up'])
    act(name)
  } finally {
    // The end of the container's namespace may be taking it at this moment.
    spawnSync('ip', ['link', 'delete', peer])
  }
}

describe.each(hosts)('on $name', host => {
  const needs = needing(host)

  test('NL-30 a device of linux.netDevices is the container’s, by the name that is asked for', needs, () => {
    device(name => {
      const script = 'ip -o -4 addr show dev eth0; ip -o link show dev eth0'
      using bundle = new Bundle(
        host,
        specOf(['/bin/sh', '-c', script], { linux: { netDevices: { [name]: { name: 'eth0' } } } }),
      )
      const { status, stdout, stderr } = bundle.run(['run', bundle.id])
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      expect(stdout).toMatch(/inet 10\.231\.10\.1\/24 .*\n.*[<,]UP.* mtu 1400 /)
      // A veth ends with the namespace: never moved back.
      expect(links()).not.toContain(name)
      expect(bundle.left()).toEqual([])
    })
  })
})

describe.each(either)('on $name', host => {
  const needs = needing(host)

  test(
    'NL-30 EV-063 a container that does not start has taken none; what is wrong is told by the file’s words',
    needs,
    () => {
      device(name => {
        const spec = (linux: object) => specOf(['/no/such/program'], { linux })
        using bundle = new Bundle(host, spec({ netDevices: { [name]: {} } }))
        expect(bundle.run(['run', bundle.id])).toMatchObject({
          status: 1,
          stderr: expect.stringContaining('/no/such/program'),
        })
        expect(links()).toContain(name)
        for (const [netDevices, problem] of [
          [{ 'no-such': {} }, /linux\.netDevices.*no-such.*: must be a device of the host/],
          [{ [name]: { name: 'a/b' } }, /linux\.netDevices.*\.name/],
          [{ lo: {} }, /linux\.netDevices.*lo: is the loopback/],
        ] as const) {
          bundle.write(spec({ netDevices }))
          const { status, stderr } = bundle.run(['run', bundle.id])
          expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringMatching(problem) })
        }
        bundle.write(spec({ netDevices: { [name]: {} }, namespaces: [{ type: 'mount' }, { type: 'uts' }] }))
        expect(bundle.run(['run', bundle.id]).stderr).toMatch(/linux\.netDevices: needs a network namespace/)
        expect(links()).toContain(name)
        expect(bundle.left()).toEqual([])
      })
    },
  )
})
