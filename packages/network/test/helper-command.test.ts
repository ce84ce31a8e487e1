import { pastaArguments, slirpArguments } from '@libcontainer/network'
import { expect, test } from 'vitest'

test('NW-23 what pasta is told: namespaces by path, no port of the host', () => {
  const words = pastaArguments({ name: 'tap0', pid: 42, userNamespace: true, mtu: 1400 }, '/run/x/pasta.pid')
  expect(words.join(' ')).toBe(
    '--config-net --quiet --tcp-ports none --udp-ports none --tcp-ns none --udp-ns none --no-map-gw --ns-ifname tap0 --mtu 1400 ' +
      '--pid /run/x/pasta.pid --netns /proc/42/ns/net --userns /proc/42/ns/user',
  )
  expect(pastaArguments({ name: 'tap0', pid: 42, userNamespace: false }, '/p')).toContain('--netns-only')
})

test('NW-23 what slirp4netns is told: namespaces by path, not the host’s loopback', () => {
  expect(slirpArguments({ name: 'tap0', pid: 42, userNamespace: true }, 3).join(' ')).toBe(
    '--configure --mtu 65520 --disable-host-loopback --ready-fd 3 --userns-path /proc/42/ns/user --netns-type path /proc/42/ns/net tap0',
  )
})
