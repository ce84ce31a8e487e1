import { later, sleep } from '@libcontainer/sys'
import { expect, test } from 'vitest'

test('EV-125 what is to come in more than 24 days does not come at once', async () => {
  let came = false
  const forget = later(3e9, () => {
    came = true
  })
  await sleep(20)
  forget()
  expect(came).toBe(false)
})
