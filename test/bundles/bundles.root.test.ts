import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { requires } from '../support/index.js'
import { Bundle, makers, type Report } from './bundle.js'
import { differences, type Explained } from './differences.js'

const lcrun = fileURLToPath(new URL('../../bundles/lcrun', import.meta.url))
const needs = requires('root', 'rootfs', 'program:runc', 'program:script', 'program:taskset', `file:${lcrun}`)

/** A line that one of both has, and the other has not. */
interface Difference {
  readonly section: string
  readonly of: 'runc' | 'lcrun'
  readonly line: string
}

function compare(runc: Report, lcrun: Report): Difference[] {
  const all = [...new Set([...runc.keys(), ...lcrun.keys()])]
  return all.flatMap(section => {
    const [theirs, ours] = [runc.get(section) ?? [], lcrun.get(section) ?? []]
    return [
      ...without(theirs, ours).map(line => ({ section, of: 'runc' as const, line })),
      ...without(ours, theirs).map(line => ({ section, of: 'lcrun' as const, line })),
    ]
  })
}

/** The lines of `some` that are not in `others`, each as often as it is missing. */
function without(some: readonly string[], others: readonly string[]): string[] {
  const rest = [...others]
  return some.filter(line => {
    const at = rest.indexOf(line)
    if (at >= 0) rest.splice(at, 1)
    return at < 0
  })
}

const used = new Set<Explained>()

/** Those that no explanation has: one counts where both sides have its lines, the same on both. */
function unexplained(found: readonly Difference[], runc: Report): Difference[] {
  const explained = differences.flatMap(known => {
    const of = (side: 'runc' | 'lcrun'): [Difference, string][] =>
      found.flatMap(difference => {
        const matched =
          difference.section === known.section && difference.of === side && known[side]?.exec(difference.line)
        return matched ? [[difference, matched[1] ?? '']] : []
      })
    const [theirs, ours] = [of('runc'), of('lcrun')]
    const keys = (lines: typeof theirs): string[] => lines.map(([, key]) => key).sort()
    const alike =
      known.runc === null
        ? !runc.get(known.section)?.some(line => known.lcrun.test(line))
        : keys(theirs).join() === keys(ours).join()
    if (!alike || ours.length === 0) return []
    used.add(known)
    return [...theirs, ...ours].map(([difference]) => difference)
  })
  return found.filter(difference => !explained.includes(difference))
}

describe.each(makers)('an unchanged bundle of %s', maker => {
  test('looks the same from inside under runc and lcrun', { ...needs, timeout: 120_000 }, () => {
    using bundle = new Bundle(maker)
    const theirs = bundle.run(['runc'])
    const ours = bundle.run([lcrun])
    expect(theirs.report.get('mounts')?.length).toBeGreaterThan(15)
    expect(unexplained(compare(theirs.report, ours.report), theirs.report)).toEqual([])
    expect({ status: ours.status, left: ours.left }).toEqual({ status: theirs.status, left: [] })
    expect(asHookSees(ours.hook)).toEqual(asHookSees(theirs.hook))
  })
})

test('every explanation is of something', needs, () => {
  expect(differences.filter(known => known.here !== false && !used.has(known))).toEqual([])
})

/** The state that a hook is given, but for what each runtime says of itself; runc leaves out annotations where there are none. */
function asHookSees(state: string | undefined): unknown {
  if (state === undefined) return undefined
  const { ociVersion, pid, ...rest } = JSON.parse(state) as Record<string, unknown>
  return { annotations: {}, ...rest, ociVersion: typeof ociVersion, pid: typeof pid }
}
