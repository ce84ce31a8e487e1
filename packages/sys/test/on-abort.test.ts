import { getEventListeners } from 'node:events'
import { onAbort } from '@libcontainer/sys'
import { expect, test } from 'vitest'

const listenersOf = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length

test('a thousand wait for one signal by one listener; each is called once, and not who has taken it back', () => {
  const controller = new AbortController()
  const { signal } = controller
  const called: number[] = []
  const takeBack = Array.from({ length: 1000 }, (_, i) => onAbort(signal, () => called.push(i)))
  expect(listenersOf(signal)).toBe(1)
  for (const [i, deaf] of takeBack.entries()) if (i !== 7 && i !== 900) deaf()
  takeBack[0]!()
  expect(listenersOf(signal)).toBe(1)
  controller.abort()
  expect(called).toEqual([7, 900])
  onAbort(signal, () => called.push(-1))
  expect(called).toEqual([7, 900, -1])
})

test('when the last has taken it back no listener is left, and a later one has its own', () => {
  const controller = new AbortController()
  const { signal } = controller
  const called: string[] = []
  const first = onAbort(signal, () => called.push('first'))
  first()
  expect(listenersOf(signal)).toBe(0)
  const second = onAbort(signal, () => called.push('second'))
  first()
  // The same act twice is called twice, and taken back one by one.
  const act = (): void => void called.push('act')
  const third = onAbort(signal, act)
  onAbort(signal, act)
  third()
  controller.abort()
  expect(called).toEqual(['second', 'act'])
  second()
  expect(listenersOf(signal)).toBe(0)
  onAbort(undefined, act)()
})
