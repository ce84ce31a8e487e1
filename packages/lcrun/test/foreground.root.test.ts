import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Bundle, hosts, specOf, until } from './hosts.js'

/** A container that shares the pid namespace of its caller: what its program leaves behind has no pid 1 of its own. */
const shared = { linux: { namespaces: ['network', 'ipc', 'uts', 'mount'].map(type => ({ type })) } }

const parentOf = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[1])

/** Its parent may take its time to reap it. */
const gone = (pid: number): boolean => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return true
  }
}

describe.each(hosts)('$name', host => {
  test('PP-25 in the foreground lcrun adopts what its program leaves behind, and reaps it', host.needs, async () => {
    using bundle = new Bundle(
      host,
      specOf(['/bin/sh', '-c', '(sleep 0.2 & exec sleep 1001 & echo $!) ; exec sleep 1000'], shared),
    )
    const run = bundle.start(['run', bundle.id], { stdio: ['ignore', 'pipe', 'pipe'] })
    await run.wrote(/\d+\n/)
    const orphan = Number(run.stdout)
    await until('the adoption', () => (parentOf(orphan) === run.pid ? true : undefined))
    // The other one has ended meanwhile, and the first does so now: nothing of them stays.
    process.kill(orphan, 'SIGKILL')
    await until('its end', () => (existsSync(`/proc/${orphan}`) ? undefined : true))
    bundle.run(['kill', bundle.id, 'KILL'])
    expect(await run.ended()).toBe(137)
    expect(bundle.left()).toEqual([])
  })

  test('PP-25 unless it is told not to', host.needs, async () => {
    using bundle = new Bundle(host, specOf(['/bin/sh', '-c', '(exec sleep 1001 & echo $!); exec sleep 1000'], shared))
    const run = bundle.start(['run', '--no-subreaper', bundle.id], { stdio: ['ignore', 'pipe', 'pipe'] })
    await run.wrote(/\d+\n/)
    const orphan = Number(run.stdout)
    await until('its new parent', () => {
      const parent = parentOf(orphan)
      return parent !== Number(bundle.state()?.pid) && parent !== run.pid ? true : undefined
    })
    bundle.run(['kill', bundle.id, 'KILL'])
    expect(await run.ended()).toBe(137)
    await until('its end', () => (gone(orphan) ? true : undefined))
  })

  test('PP-26 signals are forwarded, but for those of children and of the terminal', host.needs, async () => {
    const names = 'HUP INT QUIT USR1 USR2 ALRM TERM CONT PWR CHLD WINCH'.split(' ')
    const script = `${names.map(name => `trap 'echo ${name}' ${name}`).join('; ')}; echo ready; while :; do sleep 0.05; done`
    using bundle = new Bundle(host, specOf(['/bin/sh', '-c', script]))
    const run = bundle.start(['run', bundle.id], { stdio: ['ignore', 'pipe', 'pipe'] })
    await run.wrote('ready')
    const sent = names.filter(name => name !== 'CHLD' && name !== 'WINCH')
    for (const name of ['CHLD', 'WINCH', ...sent]) {
      run.child.kill(`SIG${name}` as NodeJS.Signals)
      if (sent.includes(name)) await run.wrote(new RegExp(`^${name}$`, 'm'))
    }
    expect(run.stdout).not.toMatch(/^(WINCH)$/m)
    bundle.run(['kill', bundle.id, 'KILL'])
    expect(await run.ended()).toBe(137)
  })
})
