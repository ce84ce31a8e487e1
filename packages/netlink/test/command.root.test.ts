import { spawn, spawnSync } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { outcome, Running, requires } from '../../../test/support/index.js'

const needs = requires('root', 'namespace:net', 'program:ip')
const main = fileURLToPath(new URL('../dist/node/main.js', import.meta.url))

/** In a mount namespace and a network namespace of its own, with nothing in /run: names that are made are nobody else's, and end with it. */
const APART = ['--mount', '--net', '--propagation', 'private', 'sh', '-ec']
const head = `mount -t tmpfs none /run; netlink() { '${process.execPath}' '${main}' "$@"; }`
const apart = (script: string) =>
  outcome(spawnSync('unshare', [...APART, `${head}\n${script}`], { encoding: 'utf8', timeout: 60_000 }))

test('netns: what ip(8) makes is seen, what is made ip(8) sees, each deletes the other’s', needs, () => {
  const { status, stdout, stderr } = apart(`
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
    grep -c ' /run/netns ' /proc/self/mountinfo`)
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
      'trap "kill $!; exit 9" TERM; sleep 1000 & echo $$; wait',
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
