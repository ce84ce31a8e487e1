import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { requires } from '../support/index.js'
import { Bundle, makers, type Report } from './bundle.js'
import { differences } from './differences.js'

const lcrun = fileURLToPath(new URL('../../bundles/lcrun', import.meta.url))
const needs = requires('root', 'rootfs', 'program:runc', 'program:script', `file:${lcrun}`)

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

const explained = ({ section, of, line }: Difference): boolean =>
  differences.some(known => known.section === section && known[of]?.test(line))

describe.each(makers)('an unchanged bundle of %s', maker => {
  test('looks the same from inside under runc and lcrun', { ...needs, timeout: 120_000 }, () => {
    using bundle = new Bundle(maker)
    const theirs = bundle.run(['runc'])
    const ours = bundle.run([lcrun])
    expect(theirs.report.get('mounts')?.length).toBeGreaterThan(15)
    expect(compare(theirs.report, ours.report).filter(difference => !explained(difference))).toEqual([])
    expect({ status: ours.status, left: ours.left }).toEqual({ status: theirs.status, left: [] })
    expect(asHookSees(ours.hook)).toEqual(asHookSees(theirs.hook))
  })
})

/** The state that a hook is given, but for what each runtime says of itself; runc leaves out annotations where there are none. */
function asHookSees(state: string | undefined): unknown {
  if (state === undefined) return undefined
  const { ociVersion, pid, ...rest } = JSON.parse(state) as Record<string, unknown>
  return { annotations: {}, ...rest, ociVersion: typeof ociVersion, pid: typeof pid }
}
