import { describe, expect, test } from 'vitest'
import { unitPropertiesOf } from '../src/unit-properties.js'

describe('EV-160 annotations for the unit of a container', () => {
  const of = (name: string, value: string) => unitPropertiesOf({ [`org.systemd.property.${name}`]: value })

  test('OC-10 what podman and CRI-O ask for', () => {
    expect(of('KillSignal', '37')).toEqual([{ name: 'KillSignal', type: 'i', value: 37 }])
    expect(of('TimeoutStopSec', '90')).toEqual([{ name: 'TimeoutStopUSec', type: 't', value: 90000000 }])
    expect(of('After', "['a.service']")).toEqual([{ name: 'After', type: 'as', value: ['a.service'] }])
    expect(of('CollectMode', "'inactive-or-failed'")).toHaveLength(1)
    expect(unitPropertiesOf({ 'run.oci.handler': 'x' })).toEqual([])
    expect(unitPropertiesOf()).toEqual([])
  })

  test.each([
    'SuccessAction',
    'FailureAction',
    'OnFailure',
    'ExecStopPost',
    'Conflicts',
    'BindsTo',
    'DeviceAllow',
    'DevicePolicy',
    'PIDs',
    'Slice',
    'Delegate',
    'JobTimeoutAction',
  ])('EV-160 %s acts on more than the unit', name => {
    expect(() => of(name, "'x'")).toThrow(
      new RegExp(`^annotations\\['org.systemd.property.${name}'\\]: may not be asked`),
    )
  })
})
