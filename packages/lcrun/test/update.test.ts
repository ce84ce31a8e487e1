import { parse } from '@libcontainer/cli'
import { limitsOf } from '@libcontainer/oci'
import { describe, expect, test } from 'vitest'
import { table } from '../src/commands.js'
import { updatedLimits } from '../src/resources.js'
import { classOf, flagOf, resourcesOf } from '../src/update-flags.js'

type Cgroups = Parameters<typeof updatedLimits>[1]

/** What `update` with these flags sets in a container that has these limits. */
function updated(flags: readonly string[], saved: Cgroups = {}): Cgroups {
  const limits = updatedLimits(limitsOf(resourcesOf(parse(['update', ...flags, 'box'], table).flags)), saved)
  // Without what says nothing.
  return JSON.parse(JSON.stringify(limits), (_key, value) =>
    typeof value === 'object' && value !== null && Object.keys(value).length === 0 ? undefined : value,
  ) as Cgroups
}

describe('OL-15', () => {
  test('OL-15 flags become limits, and what is not given is not touched', () => {
    expect(
      updated([
        ...['--memory', '100m', '--memory-reservation', '50m', '--memory-swap', '200m', '--pids-limit', '32'],
        ...['--cpu-share', '512', '--cpu-quota', '50000', '--cpu-period', '100000', '--cpu-burst', '1000'],
        ...['--cpuset-cpus', '0-1', '--cpuset-mems', '0', '--cpu-rt-period', '1000000', '--cpu-rt-runtime', '950000'],
      ]),
    ).toEqual({
      memory: { max: 104857600, low: 52428800, memswMax: 209715200 },
      pids: { max: 32 },
      cpu: {
        shares: 512,
        quotaUs: 50000,
        periodUs: 100000,
        burstUs: 1000,
        rtPeriodUs: 1000000,
        rtRuntimeUs: 950000,
      },
      cpuset: { cpus: '0-1', mems: '0' },
    })
    expect(updated(['--pids-limit', '5'], { memory: { max: 7 }, cpu: { shares: 3 } })).toEqual({ pids: { max: 5 } })
    expect(updated([])).toBeUndefined()
  })

  test('OL-15 -1 is no limit, and 0 is not given', () => {
    expect(updated(['--memory', '-1', '--pids-limit', '-1', '--cpu-quota', '-1'])).toEqual({
      memory: { max: 'max', memswMax: 'max' },
      pids: { max: 'max' },
      cpu: { quotaUs: 'max' },
    })
    expect(updated(['--memory', '0', '--pids-limit', '0', '--cpu-quota', '0', '--cpu-share', '0'])).toBeUndefined()
  })

  test('OL-15 a quota or a period alone keeps the other', () => {
    const saved = { cpu: { quotaUs: 50000, periodUs: 100000, shares: 512 } }
    expect(updated(['--cpu-quota', '20000'], saved)).toEqual({ cpu: { quotaUs: 20000, periodUs: 100000 } })
    expect(updated(['--cpu-period', '50000'], saved)).toEqual({ cpu: { quotaUs: 50000, periodUs: 50000 } })
    expect(updated(['--cpu-period', '50000'])).toEqual({ cpu: { quotaUs: 'max', periodUs: 50000 } })
  })

  test('OL-15 memory keeps what it may use together with swap, and without a limit has none of both', () => {
    const saved = { memory: { max: 1000, memswMax: 3000 } }
    expect(updated(['--memory', '2000'], saved)).toEqual({ memory: { max: 2000, memswMax: 3000 } })
    expect(updated(['--memory-swap', '5000'], saved)).toEqual({ memory: { max: 1000, memswMax: 5000 } })
    expect(updated(['--memory', '-1'], saved)).toEqual({ memory: { max: 'max', memswMax: 'max' } })
    expect(updated(['--memory-swap', '-1'], saved)).toEqual({ memory: { max: 1000, memswMax: 'max' } })
    expect(updated(['--memory-reservation', '500'], saved)).toEqual({ memory: { low: 500 } })
  })

  test('OL-15 idle takes the share back that was given, once', () => {
    expect(updated(['--cpu-idle', '1'], { cpu: { shares: 512 } })).toEqual({ cpu: { shares: 1024, idle: true } })
    expect(updated(['--cpu-idle', '1'], { cpu: { shares: 1024, idle: true } })).toEqual({ cpu: { idle: true } })
    expect(updated(['--cpu-idle', '1'])).toEqual({ cpu: { idle: true } })
    expect(updated(['--cpu-idle', '0'], { cpu: { shares: 512 } })).toEqual({ cpu: { idle: false } })
    expect(updated(['--cpu-idle', '1', '--cpu-share', '2'], { cpu: { shares: 512 } })).toEqual({
      cpu: { shares: 2, idle: true },
    })
  })

  test('OL-15 a weight of disks; 0 is not given', () => {
    expect(updated(['--blkio-weight', '500'], { io: { devices: [] } })).toEqual({ io: { blkioWeight: 500 } })
    expect(updated(['--blkio-weight', '0'])).toBeUndefined()
  })

  test('OL-15 device rules stay as they are', () => {
    const devices = [{ allow: false, access: 'rwm' }] as const
    expect(updatedLimits({ devices, pids: { max: 3 } }, {})).toEqual({ pids: { max: 3 } })
  })

  test('OL-15 EV-162 schemata of the class of resctrl', () => {
    const asked = (...flags: string[]) => classOf(parse(['update', ...flags, 'box'], table).flags)
    expect(asked()).toBeUndefined()
    expect(asked('--l3-cache-schema', 'L3:0=f')).toEqual({ l3CacheSchema: 'L3:0=f' })
    expect(asked('--l3-cache-schema', 'L3:0=f', '--mem-bw-schema', 'MB:0=20')).toEqual({
      l3CacheSchema: 'L3:0=f',
      memBwSchema: 'MB:0=20',
    })
    expect(flagOf('linux.intelRdt.memBwSchema')).toBe('--mem-bw-schema')
  })

  test.each([
    ['--cpu-quota', 'half'],
    ['--cpu-period', '-5'],
    ['--cpu-share', '1.5'],
    ['--cpu-idle', '2'],
    ['--pids-limit', '0x10'],
    ['--blkio-weight', 'heavy'],
    ['--blkio-weight', '9'],
    ['--blkio-weight', '1001'],
    ['--memory', '1x'],
    ['--memory-swap', 'x'],
    ['--memory-reservation', '-5'],
    ['--kernel-memory', '1x'],
    ['--cpu-burst', '99999999999999999999'],
  ])('EV-162 %s %s is refused', (flag, value) => {
    expect(() => updated([flag, value])).toThrow(new RegExp(`^${flag}: must `))
  })
})
