import { plan, validate } from '@libcontainer/container'
import { describe, expect, test } from 'vitest'
import { busyboxRootfs, requires } from '../../../test/support/index.js'
import { Bench, inside, sleeper } from './support.js'

describe('BY-16 core scheduling', () => {
  test('BY-16 it is the first step of a container that asks for it, and of no other', requires('rootfs'), async () => {
    const config = { rootfs: busyboxRootfs() }
    const steps = async (coreScheduling?: boolean): Promise<string[]> =>
      (await plan('core', { ...config, coreScheduling }, sleeper)).steps.map(({ op }) => op)
    expect(await steps()).not.toContain('coreScheduling')
    expect(await steps(false)).toEqual(await steps())
    expect((await steps(true)).filter(op => op !== 'coreScheduling')).toEqual(await steps())
    const [problem] = await validate({ ...config, coreScheduling: 'yes' as unknown as boolean })
    expect(problem).toMatchObject({ field: 'coreScheduling' })
  })

  test(
    'BY-16 a container and its further processes have it, or the kernel’s reason is told and nothing is left',
    requires('root', 'rootfs'),
    async () => {
      await using bench = await Bench.open('core')
      const container = await bench.create({ coreScheduling: true })
      const refused = await container.run(sleeper).then(
        () => undefined,
        (error: unknown) => error,
      )
      if (refused === undefined) {
        expect(await inside(container, 'echo in company')).toBe('in company')
      } else {
        expect(refused).toMatchObject({
          code: 'SystemError',
          syscall: 'prctl(PR_SCHED_CORE)',
          errno: -22,
          step: expect.stringContaining('share no core with others'),
          hint: expect.stringContaining('CONFIG_SCHED_CORE'),
        })
        expect(await container.status()).toBe('stopped')
        expect(await container.processes()).toEqual([])
      }
    },
  )
})
