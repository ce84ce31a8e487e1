import type { ContainerPlan } from '@libcontainer/container'
import { kindsOf } from '@libcontainer/namespaces'
import { type Arg, type Step, visibleLine } from '@libcontainer/sys'

/** A plan as data: what is cloned, and the steps in order. Pure. */
export function planData({ namespaces, steps }: ContainerPlan): object {
  return {
    clone: kindsOf(namespaces.cloneFlags),
    steps: steps.map((step, i) => ({ number: i + 1, ...stepData(step) })),
  }
}

function stepData({ op, args, about, path, into, onError }: Step): object {
  return {
    op,
    args: args.map(argData),
    about,
    ...(path === undefined ? {} : { path }),
    ...(into === undefined ? {} : { into }),
    ...(onError === undefined
      ? {}
      : {
          onError: Object.fromEntries(
            Object.entries(onError).map(([errno, then]) => [errno, then === 'skip' ? then : stepData(then)]),
          ),
        }),
  }
}

/** Bytes in hexadecimal; a slot is an object already. */
const argData = (arg: Arg): unknown =>
  arg instanceof Uint8Array ? { bytes: Array.from(arg, byte => byte.toString(16).padStart(2, '0')).join('') } : arg

/** A plan for people: one line a step, numbered as errors number them. Pure. */
export function planTable({ namespaces, steps }: ContainerPlan): string {
  const kinds = kindsOf(namespaces.cloneFlags)
  const clone = kinds.length === 0 ? 'make a process' : `make a process in new namespaces: ${kinds.join(', ')}`
  const rows = [
    ['STEP', 'OPERATION', 'WHAT IT DOES'],
    ['', 'clone3', clone],
    ...steps.map((step, i) => [String(i + 1), step.op, visibleLine(step.about + otherwise(step))]),
  ] as const
  const [numbers, ops] = [0, 1].map(column => Math.max(...rows.map(row => row[column]!.length))) as [number, number]
  return rows.map(([number, op, about]) => `${number!.padStart(numbers)}  ${op!.padEnd(ops)}  ${about}\n`).join('')
}

/** What is done instead where the kernel refuses: the same for several errnos is said once. */
function otherwise({ onError = {} }: Step): string {
  const byThen = new Map<string, string[]>()
  for (const [errno, then] of Object.entries(onError)) {
    const about = then === 'skip' ? 'go on' : then.about
    byThen.set(about, [...(byThen.get(about) ?? []), errno])
  }
  return [...byThen].map(([about, errnos]) => `; at ${errnos.join(' or ')} ${about}`).join('')
}
