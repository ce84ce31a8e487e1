import { type ContainerConfig, type ProcessSpec, resolveConfig } from '@libcontainer/container'
import { encodePlan, type Step } from '@libcontainer/sys'
import { attributesOf } from '../../packages/container/src/plan/attributes.js'
import { planContainer } from '../../packages/container/src/plan/container.js'
import { encodeAnswer } from '../../packages/init/src/records.js'

/** A real plan, with the answers that it asks for behind it, and ops that succeed or fail. */
function planOf(
  config: Partial<ContainerConfig>,
  process: Partial<ProcessSpec>,
  results: readonly number[],
): Uint8Array {
  const resolved = resolveConfig('demo', { rootfs: '/rootfs', ...config })
  const spec = { args: ['/bin/true'], ...process }
  const { steps, slots } = planContainer(resolved, spec, attributesOf(resolved, spec, true), {
    cgroups: { hierarchies: [], namespace: false },
    joinCgroups: [],
    bornInCgroup: true,
    kcore: true,
    lastCap: 40,
  })
  // The filter is the most of it, and to the decoder no more than bytes.
  const short = steps.map(step => ({
    ...step,
    args: step.args.map(arg => (arg instanceof Uint8Array ? arg.slice(0, 64) : arg)),
  }))
  return withResults(short, { slots, values: { parent: 9, listener: 9 } }, results)
}

function withResults(
  steps: readonly Step[],
  options: Parameters<typeof encodePlan>[1],
  results: readonly number[],
): Uint8Array {
  const plan = encodePlan(steps, options)
  const names = [...plan.slots.keys()]
  const answers = [
    encodeAnswer({ integers: Object.fromEntries(names.slice(0, 2).map(name => [name, 7])) }, plan.slots),
    encodeAnswer({ bytes: Object.fromEntries(names.slice(2).map(name => [name, 'HOME=/\0'])) }, plan.slots),
    encodeAnswer({}, plan.slots),
  ]
  const packets = answers.flatMap(({ bytes }) => [bytes.length & 255, bytes.length >> 8, ...bytes])
  return Uint8Array.from([...plan.bytes, ...packets, ...results])
}

/** What was found before: bytes that are not aligned, and an answer's bytes without a NUL behind them. */
function earlier(): Uint8Array[] {
  const argument = new TextEncoder().encode('sh\0')
  const none = new Uint8Array(0)
  const plan = encodePlan([{ op: 'execProgram', args: [argument, none, none], about: 'exec' }])
  const moved = Uint8Array.from(plan.bytes)
  const words = new Uint32Array(moved.buffer)
  words[words.indexOf(plan.offset(argument))]! += 1

  const asking = encodePlan([{ op: 'setHostname', args: [{ slot: 'name' }], about: 'ask' }], { slots: ['name'] })
  const { bytes } = encodeAnswer({ bytes: { name: '12345678' } }, asking.slots)
  bytes.fill(0xff, 16)
  return [moved, Uint8Array.from([...asking.bytes, bytes.length, 0, ...bytes])]
}

const map = [{ containerId: 0, hostId: 100000, size: 65536 }]

export function seeds(): Uint8Array[] {
  const other: Step = { op: 'setHostname', args: ['b'], about: 'another', onError: { EINVAL: 'skip' } }
  const branching: Step[] = [
    { op: 'setHostname', args: ['a'], about: 'one', onError: { EPERM: 'skip', ENOENT: other, EINVAL: other } },
    {
      op: 'execProgram',
      args: [new TextEncoder().encode('sh\0-c\0'), new TextEncoder().encode('A=1\0'), new Uint8Array(0)],
      about: 'exec',
    },
  ]
  return [
    planOf({}, {}, []),
    planOf({ uidMappings: map, gidMappings: map, namespaces: ['mnt', 'user', 'pid'] }, {}, [0, 3, 3, 128, 129]),
    planOf(
      { hostname: 'demo', readonlyRootfs: true, namespaces: ['mnt', 'uts'] },
      { user: 'www', cwd: '/srv' },
      [140, 128],
    ),
    withResults(branching, { slots: ['a', 'b', 'c'] }, [129, 149]),
    withResults(branching, { slots: [], failAt: 1, timed: true }, []),
    ...earlier(),
  ]
}
