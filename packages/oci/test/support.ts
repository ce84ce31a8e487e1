import { type Conversion, exampleSpec, type Spec, toContainerConfig, validateSpec } from '@libcontainer/oci'

export const BUNDLE = '/srv/bundle'

type Linux = NonNullable<Spec['linux']>
type Process = NonNullable<Spec['process']>

/** The example with changes, as a file would hold them. */
export const specWith = (changes: object): Spec => validateSpec({ ...exampleSpec(), ...changes })
export const linuxWith = (changes: Linux | object): Spec => specWith({ linux: { ...exampleSpec().linux, ...changes } })
export const processWith = (changes: Process | object): Spec =>
  specWith({ process: { ...exampleSpec().process, ...changes } })

export const converted = (spec: Spec, options: object = {}): Conversion =>
  toContainerConfig(spec, { id: 'c1', bundle: BUNDLE, ...options })

/** The error that a call throws, as its parts. */
export function refusal(call: () => unknown): { field: string; value: unknown; message: string; hint?: string } {
  try {
    call()
  } catch (error) {
    const { field, value, message, hint } = error as { field: string; value: unknown; message: string; hint?: string }
    return { field, value, message, ...(hint === undefined ? {} : { hint }) }
  }
  throw new Error('nothing was refused')
}

export const configOf = (spec: Spec) => converted(spec).config

/** What is wrong with a spec, and its place. */
export const fault = (spec: Spec) => refusal(() => converted(spec))
export const at = (spec: Spec): string => fault(spec).field
