import { remembered } from '@libcontainer/sys'
import { expect, test } from 'vitest'

test('what was asked for is asked for once, meanwhile and later; a failure is not kept', async () => {
  let asked = 0
  const number = remembered(async () => {
    asked++
    if (asked === 1) throw new Error('not now')
    return asked
  })
  expect(asked).toBe(0)
  const outcomes = await Promise.allSettled([number(), number()])
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(asked).toBe(1)
  expect(await Promise.all([number(), number()])).toEqual([2, 2])
  expect(await number()).toBe(2)
  expect(asked).toBe(2)
})
