import { spawn, spawnSync } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { outcome, Running, requires, until } from '../../../test/support/index.js'

const needs = requires('root', 'namespace:net', 'program:ip')
const main = fileURLToPath(new URL('../dist/node/main.js', import.meta.url))
const run = (...args: string[]) =>
  outcome(spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', timeout: 60_000 }))

/**
 * In a mount namespace and a network namespace of its own, with nothing in /run: names that are made are nobody else's, and end with it. A file of
 * certificates that Node.js should add is none of this, and may not be there.
 */
const APART = ['--mount', '--net', '--propagation', 'private', 'sh', '-ec']
const head = `mount -t tmpfs none /run; unset NODE_EXTRA_CA_CERTS; netlink() { '${process.execPath}' '${main}' "$@"; }`
const apart = (script: string) =>
  outcome(spawnSync('unshare', [...APART, `${head}\n${script}`], { encoding: 'utf8', timeout: 60_000 }))

test('netns: what ip(8) makes is seen, what is made ip(8) sees, each deletes the other’s', needs, () => {
  // There may be one of another /run already, below this one.
  const { status, stdout, stderr } = apart(`
    mounts() { grep -c ' /netns /run/netns ' /proc/self/mountinfo || true; }
    before=$(mounts)
    netlink netns list --json
    ip netns add theirs
    netlink netns add ours second
    ip netns list | sort
    ls /run/netns
    netlink netns id ours 5
    netlink netns list
    ip netns delete ours
    netlink netns delete theirs
    netlink netns list --json | grep -c name
    netlink netns attach mine $$
    test $(stat -Lc %i /run/netns/mine) = $(stat -Lc %i /proc/self/ns/net) && echo attached
    echo $(($(mounts) - before))`)
  const lines = stdout.split('\n')
  expect([status, stderr]).toEqual([0, ''])
  expect(lines.slice(0, 8)).toEqual(['[]', 'ours', 'second', 'theirs', 'ours', 'second', 'theirs', '5'])
  expect(lines[8]).toBe(`NAME${' '.repeat(12)}NS  ID`)
  expect(lines[9]).toMatch(/^ours {4}\d+ {3}5$/)
  expect(lines.slice(10, 12).every(line => /^(second|theirs) +\d+ +-$/.test(line))).toBe(true)
  expect(lines.slice(12)).toEqual(['1', 'attached', '1', ''])
})

test('netns: a name that is not there, with one that may have been meant', needs, () => {
  const { stdout, stderr } = apart(`
    netlink netns add green
    netlink netns delete gren || echo $?
    netlink netns exec grene true || echo $?
    netlink netns add green || echo $?
    netlink netns add a/b || echo $?`)
  expect(stdout).toBe('125\n125\n125\n125\n')
  expect(stderr).toMatch(/no network namespace 'gren'; did you mean 'green'/)
  expect(stderr).toMatch(/no network namespace 'grene'; did you mean 'green'/)
  expect(stderr).toMatch(/EEXIST.*\/run\/netns\/green/)
  expect(stderr).toMatch(/name: must be a name of a network namespace/)
})

test(
  'netns exec: in the namespace, with this environment, mounts and limits; its exit code, and that there is no such command',
  needs,
  () => {
    const { stdout, stderr } = apart(`
    ulimit -Sn 1000
    netlink netns add blue
    mounts=$(readlink /proc/self/ns/mnt)
    export WORD=kept
    netlink netns exec blue sh -c 'echo $WORD; ulimit -Sn; readlink /proc/self/ns/mnt; cat /proc/net/dev | grep -c :; exit 7' || echo $?
    echo $mounts
    test $(netlink netns exec blue stat -Lc %i /proc/self/ns/net) = $(stat -Lc %i /run/netns/blue) && echo there
    netlink netns exec /run/netns/blue -- grep -E '^Sig(Ign|Blk)' /proc/self/status
    netlink netns exec blue no-such-program || echo $?
    netlink netns exec blue /etc/passwd || echo $?
    netlink netns exec /proc/self/ns/uts true || echo $?`)
    const [word, limit, mounts, links, status, before, ...rest] = stdout.trimEnd().split('\n')
    expect([word, limit, links, status]).toEqual(['kept', '1000', '1', '7'])
    expect(mounts).toBe(before)
    // Nothing is ignored or kept back: Node.js ignores SIGPIPE.
    expect(rest.slice(0, 3)).toEqual([
      'there',
      expect.stringMatching(/^SigBlk:\s0+$/),
      expect.stringMatching(/^SigIgn:\s0+$/),
    ])
    expect(rest.slice(3)).toEqual(['127', '126', '125'])
    expect(stderr).toMatch(/^netlink: no-such-program: .*ENOENT/m)
  },
)

test('netns exec: the files of /etc/netns/NAME stand in place of those of /etc, for the command alone', needs, () => {
  const { status, stdout, stderr } = apart(`
    mkdir /run/etc; mount --bind /run/etc /etc
    echo usual > /etc/resolv.conf
    mkdir -p /etc/netns/blue
    echo own > /etc/netns/blue/resolv.conf
    echo stray > /etc/netns/blue/stray
    netlink netns add blue green
    netlink netns exec blue cat /etc/resolv.conf
    netlink netns exec green cat /etc/resolv.conf
    netlink netns exec blue ls /etc
    cat /etc/resolv.conf`)
  expect([status, stderr]).toEqual([0, ''])
  expect(stdout.split('\n')).toEqual(['own', 'usual', 'netns', 'resolv.conf', 'usual', ''])
})

test('netns exec: the command has the number of the one that was called, and its signals', needs, async () => {
  const outer = new Running(
    spawn(process.execPath, [
      main,
      'netns',
      'exec',
      '/proc/self/ns/net',
      'sh',
      '-c',
      'sleep 1000 & trap "kill $!; exit 9" TERM; echo $$; wait',
    ]),
  )
  try {
    await outer.wrote(/\d+\n/)
    expect(Number(outer.stdout)).toBe(outer.pid)
    expect(readlinkSync(`/proc/${outer.pid}/exe`)).not.toBe(process.execPath)
    outer.child.kill('SIGTERM')
    expect(await outer.ended()).toBe(9)
  } finally {
    await outer.killed()
  }
})

/** What a script wrote between lines of `=`. */
const parts = (stdout: string): string[] => stdout.split(/^=\n/m)

test('NL-21 link, addr and route tell what ip(8) tells', needs, () => {
  const { status, stdout, stderr } = apart(`
    ip link add br0 type bridge
    ip link add left type veth peer name right
    ip link set left master br0 up
    ip link set right up mtu 1400 alias 'a text'
    ip link set br0 up
    ip addr add 10.1.0.1/24 dev br0
    ip addr add 10.9.0.1 peer 10.9.0.2/32 dev right
    ip -6 addr add 2001:db8::1/64 dev br0 nodad
    ip route add 10.2.0.0/16 via 10.1.0.2 metric 7
    ip route add blackhole 10.3.0.0/16
    ip route add 10.4.0.0/16 dev br0 table 100
    netlink link --json; echo =
    ip -j -d link; echo =
    netlink link --type bridge; echo =
    netlink link --master br0 --json --stats; echo =
    netlink addr -4 --json; echo =
    ip -4 -j addr; echo =
    netlink addr br0; echo =
    netlink route -4 --json; echo =
    ip -4 -j route; echo =
    netlink route --table 100; echo =
    netlink route get 10.2.0.1; echo =
    netlink link brO || echo $?; echo =
    netlink link --type brdige || echo $?
    netlink route --table mian || echo $?`)
  const [links, ipLinks, bridges, port, addresses, ipAddresses, onBridge, routes, ipRoutes, other, way, ...refused] =
    parts(stdout)
  interface Shown {
    index: number
    name: string
    kind?: string
    mac?: string
    mtu: number
    master?: number
    alias?: string
    statistics?: object
  }
  interface IpLink {
    ifindex: number
    ifname: string
    address?: string
    mtu: number
    master?: string
    ifalias?: string
    linkinfo?: { info_kind?: string }
    addr_info?: { local: string; prefixlen: number; address?: string; scope: string }[]
  }
  const ours = JSON.parse(links!) as Shown[]
  const theirs = JSON.parse(ipLinks!) as IpLink[]
  const nameOf = (index: number | undefined) => ours.find(each => each.index === index)?.name
  expect(
    ours.map(({ index, name, kind, mac, mtu, master, alias }) => [index, name, kind, mac, mtu, nameOf(master), alias]),
  ).toEqual(
    theirs.map(each => [
      each.ifindex,
      each.ifname,
      each.linkinfo?.info_kind,
      each.address,
      each.mtu,
      each.master,
      each.ifalias,
    ]),
  )
  expect(bridges!.split('\n').map(line => line.split(/ +/).filter(Boolean)[1])).toEqual(['NAME', 'br0', undefined])
  expect(JSON.parse(port!)).toEqual([expect.objectContaining({ name: 'left', statistics: expect.anything() })])

  const all = JSON.parse(addresses!) as {
    linkName: string
    address: string
    prefixLength: number
    peer?: string
    scope: string
  }[]
  expect(all.map(each => [each.linkName, each.address, each.peer, each.prefixLength, each.scope]).sort()).toEqual(
    (JSON.parse(ipAddresses!) as IpLink[])
      .flatMap(each =>
        (each.addr_info ?? []).map(one => [each.ifname, one.local, one.address, one.prefixlen, one.scope]),
      )
      .sort(),
  )
  expect(onBridge).toMatch(/^br0 +10\.1\.0\.1\/24 +global/m)
  expect(onBridge).toMatch(/^br0 +2001:db8::1\/64 +global/m)

  interface IpRoute {
    type?: string
    dst: string
    gateway?: string
    dev?: string
    metric?: number
    protocol: string
  }
  const shown = JSON.parse(routes!) as {
    type: string
    destination: string
    gateway?: string
    devName?: string
    metric?: number
    protocol: string
  }[]
  const length = (dst: string): string => (dst === 'default' || dst.includes('/') ? dst : `${dst}/32`)
  expect(
    shown.map(each => [each.type, each.destination, each.gateway, each.devName, each.metric, each.protocol]).sort(),
  ).toEqual(
    (JSON.parse(ipRoutes!) as IpRoute[])
      .map(each => [
        each.type ?? 'unicast',
        length(each.dst),
        each.gateway,
        each.dev,
        each.metric,
        each.protocol ?? 'boot',
      ])
      .sort(),
  )
  expect(other!.split('\n')[1]).toMatch(/^10\.4\.0\.0\/16 +- +br0 .* 100$/)
  expect(way).toMatch(/^10\.2\.0\.1\/32 +10\.1\.0\.2 +br0 +10\.1\.0\.1 /m)
  expect(refused.join('')).toBe('125\n125\n125\n')
  expect(stderr).toMatch(/no link 'brO'; did you mean 'br0'/)
  expect(stderr).toMatch(/no kind of link 'brdige'; did you mean 'bridge'/)
  expect(stderr).toMatch(/table: must be a number or one of/)
  expect(status).toBe(0)
})

test('NL-22 NL-23 monitor tells what changes, in the namespace of another process, too', needs, async () => {
  const holder = new Running(spawn('unshare', ['--net', 'sh', '-c', 'echo ready; exec sleep 1000']))
  try {
    await holder.wrote('ready')
    const inside = (...args: string[]) =>
      outcome(spawnSync('nsenter', ['-n', '-t', String(holder.pid), 'ip', ...args], { encoding: 'utf8' }))
    const target = ['--target', String(holder.pid)]
    const events = new Running(spawn(process.execPath, [main, 'monitor', '--json', ...target, 'link', 'addr']))
    const lines = new Running(spawn(process.execPath, [main, 'monitor', ...target]))
    try {
      // From when on they listen nobody is told.
      await until('both tell of the loopback device', () => {
        inside('link', 'set', 'lo', 'up')
        inside('link', 'set', 'lo', 'down')
        return events.stdout.includes('"name":"lo"') && lines.stdout.includes(' lo ')
      })
      inside('link', 'add', 'x', 'type', 'veth', 'peer', 'name', 'y')
      inside('addr', 'add', '192.0.2.1/24', 'dev', 'x')
      inside('link', 'del', 'x')
      const gone = /^\{"type":"link","change":"deleted",.*"name":"x"/m
      await until(
        'the end of x in JSON',
        () => gone.test(events.stdout),
        () => events.stdout + events.stderr,
      )
      const told = events.stdout
        .split('\n')
        .filter(line => line.endsWith('}'))
        .map(line => JSON.parse(line))
      expect(told).toContainEqual(
        expect.objectContaining({
          type: 'link',
          change: 'set',
          link: expect.objectContaining({ name: 'y', kind: 'veth' }),
        }),
      )
      expect(told).toContainEqual(
        expect.objectContaining({ type: 'address', address: expect.objectContaining({ address: '192.0.2.1' }) }),
      )
      expect(new Set(told.map(({ type }) => type))).toEqual(new Set(['link', 'address']))
      await until(
        'the end of x in a line',
        () => /^- link +\d+: x$/m.test(lines.stdout),
        () => lines.stdout,
      )
      expect(lines.stdout).toMatch(/^\+ address +x 192\.0\.2\.1\/24 scope global$/m)
      const links = JSON.parse(run('link', '--json', ...target).stdout) as { name: string }[]
      const names = links.map(({ name }) => name)
      expect([names[0], names.includes('x')]).toEqual(['lo', false])
    } finally {
      await events.killed()
      await lines.killed()
    }
  } finally {
    await holder.killed()
  }
})

test('who reads no further ends it without a word: netlink link | head', needs, () => {
  const { status, stdout, stderr } = apart(`
    ip link set lo up
    seq 0 2499 | while read i; do echo route add 10.$((i / 250)).$((i % 250)).0/24 dev lo table 7; done | ip -batch -
    netlink route --table 7 --json | head -n 1`)
  expect([status, stdout, stderr]).toEqual([0, '[\n', ''])
})
