// What is measured: each answers, for those who can do it, one run of each a round.
import { resident } from './contender.mjs'
import { interleave } from './statistics.mjs'

/** Those who have what is to be measured. */
const able = (contenders, act) => contenders.filter(each => each[act] !== undefined)

/** Runs of one act, with a container of each that stays. */
const beside = act => ({
  measure: async ({ contenders }, { rounds }) => {
    const those = able(contenders, act)
    for (const each of those) await each.hold()
    const results = await interleave(those, rounds, each => each[act]())
    for (const each of those) await each.remove()
    return results
  },
})

const kilobytes = { unit: 'kB' }

export const measurements = {
  run: {
    title: 'create, start, wait, destroy: /bin/true, no seccomp',
    measure: ({ contenders }, { rounds }) => interleave(contenders, rounds, each => each.run('none')),
  },
  'run-seccomp': {
    title: 'create, start, wait, destroy: /bin/true, default seccomp profile',
    measure: ({ contenders }, { rounds }) => interleave(contenders, rounds, each => each.run('default')),
  },
  'run-engine': {
    title: 'run of /bin/true with the default seccomp profile and 30 more mounts',
    measure: ({ contenders }, { rounds }) =>
      interleave(able(contenders, 'lifecycle'), rounds, each => each.run('engine')),
  },
  'run-binds': {
    title: 'run of /bin/true, no seccomp, with 50 binds more, each read-only, nosuid and nodev',
    measure: ({ contenders }, { rounds }) =>
      interleave(able(contenders, 'lifecycle'), rounds, each => each.run('binds')),
  },
  lifecycle: {
    title: 'create + start + delete, as commands: /bin/true, no seccomp',
    measure: ({ contenders }, { rounds }) =>
      interleave(able(contenders, 'lifecycle'), rounds, each => each.lifecycle()),
  },
  exec: { title: 'exec /bin/true into a running container, and wait', ...beside('exec') },
  state: { title: 'state of a running container', ...beside('state') },
  kill: { title: 'kill: a signal to a running container', ...beside('kill') },
  list: { title: 'list, with one container', ...beside('list') },
  memory: {
    title: 'memory of a container that waits to be started (Rss of its init)',
    ...kilobytes,
    measure: ({ contenders }, { rounds }) =>
      interleave(
        able(contenders, 'create'),
        Math.ceil(rounds / 10),
        async each => {
          const rss = resident(await each.create())
          await each.remove()
          return rss
        },
        { warmUp: 0 },
      ),
  },
  'memory-waiting': {
    title: 'memory of a command that waits for its container in the foreground (Rss)',
    ...kilobytes,
    measure: ({ contenders }, { rounds }) =>
      interleave(able(contenders, 'waitingMemory'), Math.ceil(rounds / 10), each => each.waitingMemory(), {
        warmUp: 0,
      }),
  },
  'memory-command': {
    title: 'the most memory that a command holds (state)',
    ...kilobytes,
    ...beside('commandMemory'),
  },
  'run-100': {
    title: 'create, start, wait, destroy: /bin/true, no seccomp, with 100 containers alive (made through the API)',
    measure: async ({ contenders, api }, { rounds }) => {
      await api.crowd(100)
      const results = await interleave(contenders, Math.ceil(rounds / 2), each => each.run('none'))
      await api.remove()
      return results
    },
  },
}

/** With so many containers alive, of each runtime in turn: the cost of one more, of list, and of the end of each. */
export async function crowd({ contenders }, { rounds, size }) {
  const [detach, list, remove] = [new Map(), new Map(), new Map()]
  for (const each of able(contenders, 'detach')) {
    const more = async () => {
      const runs = []
      for (let i = 0; i < rounds; i++) {
        runs.push(await each.detach())
        await each.deleteLast()
      }
      return runs
    }
    detach.set(`${each.name}, none alive`, await more())
    for (let i = 0; i < size; i++) await each.detach()
    detach.set(`${each.name}, ${size} alive`, await more())
    list.set(each.name, (await interleave([each], rounds, each => each.list())).get(each.name))
    const ends = []
    for (let i = 0; i < size; i++) ends.push(await each.deleteLast())
    remove.set(each.name, ends)
  }
  return [
    { name: 'crowd', title: 'run --detach', unit: 'ms', results: detach },
    { name: 'crowd-list', title: `list, with ${size} containers`, unit: 'ms', results: list },
    { name: 'crowd-delete', title: `delete --force of each of ${size} containers`, unit: 'ms', results: remove },
  ]
}
