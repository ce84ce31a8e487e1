import { afterAll, beforeAll, expect, test } from 'vitest'
import { OrdinaryUser, requires } from '../../../test/support/index.js'

const needs = requires('root', 'rootfs', 'program:newuidmap', 'program:newgidmap', 'program:setpriv', 'namespace:user')
let user: OrdinaryUser
beforeAll(() => {
  if (!needs.skip) user = new OrdinaryUser({ subIds: 65536 })
})
afterAll(() => user?.[Symbol.dispose]())

/** Runs the text of a module, whose `ns` is this package, and answers what it calls `tell` with. */
const told = <T>(text: string, before = ''): T =>
  user.evaluate<T>(
    `import * as ns from '${user.module('@libcontainer/namespaces')}'
    const tell = value => console.log(JSON.stringify(value))
    const shell = async (start, script) => {
      const program = await start(['sh', '-c', script], { stdio: 'pipe' })
      const { status, stdout, stderr } = await program.output()
      return status.code === 0 ? stdout.trim().split('\\n') : [stderr, status]
    }
    const caught = async promise => {
      try { await promise } catch ({ code, message, hint }) { return { code, message, hint } }
    }
    const line = (containerId, hostId, size) => ({ containerId, hostId, size })
    ${text}`,
    { before },
  )

test(
  'RL-05 NS-10 an ordinary user gets a user namespace, too: root of it is the user, alone, and setgroups is denied',
  needs,
  () => {
    const [id, map, groups, net] = told<string[]>(`tell(await shell(
    (...words) => ns.unshare({ namespaces: ['net', 'uts'] }, ...words),
    'echo $(id -u) $(id -g); echo $(cat /proc/self/uid_map); cat /proc/self/setgroups; hostname mine && hostname'))`)
    expect([id, map, groups, net]).toEqual(['0 0', `0 ${user.uid} 1`, 'deny', 'mine'])
  },
)

test('RL-02 NS-10 ids that are lent are mapped by newuidmap and newgidmap, and setgroups stays allowed', needs, () => {
  const own = `[line(0, ${user.uid}, 1), line(1, 1000000, 65535)]`
  const answers = told<string[]>(`tell(await shell(
    (...words) => ns.unshare({ namespaces: ['user', 'mnt', 'pid'], uidMappings: ${own}, gidMappings: ${own}, proc: '/proc' }, ...words),
    'echo $$ $(id -u) $(id -G); cat /proc/self/setgroups; echo $(tail -n1 /proc/self/uid_map); setpriv --reuid 7 --regid 8 --groups 9 id -G'))`)
  expect(answers).toEqual(['1 0 0', 'allow', '1 1000000 65535', '8 9'])
})

test('EV-041 ids of others, and ids beyond those that are lent, are refused with what to set up', needs, () => {
  const [foreign, beyond] = told<{ code: string; message: string; hint: string }[]>(`
    const unshare = map => caught(ns.unshare({ namespaces: ['user'], uidMappings: map, gidMappings: map }, ['true']))
    tell([await unshare([line(0, 0, 1)]), await unshare([line(0, 1000000, 65537)])])`)
  for (const error of [foreign, beyond]) {
    expect(error).toMatchObject({ code: 'EPERM', message: expect.stringMatching(/newgidmap failed/) })
    expect(error!.hint).toMatch(/lent to it in \/etc\/subgid/)
  }
})

test(
  'NS-07 NS-08 NS-15 an ordinary user enters what is its own: by number, and by paths that only the user namespace opens up',
  needs,
  () => {
    const { byPid, byPaths, inside, foreign } = told<Record<string, string[]> & { foreign: { message: string } }>(`
    const program = await ns.unshare({ namespaces: ['net', 'uts', 'ipc', 'pid', 'mnt'], proc: '/proc' }, ['sleep', '1000'], { stdio: 'null' })
    const { readlinkSync } = await import('node:fs')
    const path = kind => \`/proc/\${program.pid}/ns/\${kind}\`
    const kinds = ['net', 'uts', 'pid']
    const links = 'id -u; readlink /proc/self/ns/net /proc/self/ns/uts /proc/1/ns/pid'
    const byPid = await shell((...words) => ns.enter(program.pid, ...words), links)
    const paths = Object.fromEntries(['net', 'mnt', 'uts', 'pid', 'user'].map(kind => [kind, path(kind)]))
    const byPaths = await shell((...words) => ns.enter({ paths }, ...words), links)
    const { user, ...others } = paths
    const foreign = await caught(ns.enter({ paths: others }, ['true']))
    const inside = ['0', ...kinds.map(kind => readlinkSync(path(kind)))]
    await program[Symbol.asyncDispose]()
    tell({ byPid, byPaths, inside, foreign })`)
    expect(byPid).toEqual(inside)
    expect(byPaths).toEqual(inside)
    expect(foreign.message).toMatch(/left outside: uts, net, pid, mnt/)
  },
)

test('NS-21 NS-22 what an ordinary user may not do, and what it sees', needs, () => {
  const { pin, processes, mine } = told<{ pin: { code: string; hint: string }; processes: number; mine: boolean }>(`
    const pin = await caught(ns.pinNamespace('self', 'net', '${user.home}/pin'))
    const nets = await ns.listNamespaces(['net'])
    const { existsSync } = await import('node:fs')
    tell({ pin, processes: nets.length, mine: existsSync('${user.home}/pin') || !nets.some(({ uid }) => uid === ${user.uid}) })`)
  expect(pin).toMatchObject({ code: 'EPERM', hint: expect.stringMatching(/CAP_SYS_ADMIN/) })
  expect(processes).toBeGreaterThan(0)
  expect(mine).toBe(false)
})

test('EV-041 where user namespaces are switched off the remedy is said', needs, () => {
  // In a user namespace of its own the switch is its own: nothing of the host is changed.
  const error = told<{ code: string; message: string; hint: string }>(`
    const { writeFileSync } = await import('node:fs')
    if (process.env.INSIDE) {
      writeFileSync('/proc/sys/user/max_user_namespaces', '0')
      const map = [line(0, 0, 1)]
      tell(await caught(ns.unshare({ namespaces: ['user'], uidMappings: map, gidMappings: map }, ['true'])))
    } else {
      const env = { ...process.env, INSIDE: '1' }
      const program = await ns.unshare({ namespaces: ['user'] }, process.argv.slice(0, 2), { env })
      process.exitCode = (await program.wait()).code
    }`)
  expect(error).toMatchObject({ code: 'ENOSPC', hint: 'sysctl -w user.max_user_namespaces=15000' })
  expect(error.message).toMatch(/no user namespace: user namespaces are switched off/)
})
