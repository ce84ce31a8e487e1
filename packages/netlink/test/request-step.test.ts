import {
  addAddressRequest,
  addLinkRequest,
  addRouteRequest,
  HEADER_SIZE,
  requestStep,
  setLinkRequest,
} from '@libcontainer/netlink'
import type { Step } from '@libcontainer/sys'
import { expect, test } from 'vitest'

/** What init sends when the link has this index. */
function sent({ args: [message, , place] }: Step, index: number): Uint8Array {
  const bytes = Uint8Array.from(message as Uint8Array)
  new DataView(bytes.buffer).setUint32(place as number, index, true)
  return bytes
}

test.each([
  ['an address', (index: number) => addAddressRequest(index, '192.0.2.1/24')],
  ['a link', (index: number) => setLinkRequest(index, { up: true, mtu: 1400 })],
  ['a route', (index: number) => addRouteRequest({ destination: '192.0.2.0/24', gateway: '10.0.0.1', dev: index })],
])('NL-02 a step of %s has the place of the index of its link', (_, make) => {
  const step = requestStep(make(1), 'eth0')
  expect(step).toMatchObject({ op: 'requestNetlink', about: make(1).about, hints: make(1).hints })
  expect(step.args[1]).toBe('eth0')
  expect(sent(step, 0x01020304)).toEqual(requestStep(make(0x01020304)).args[0])
})

test('NL-02 a step without a link sends what it is given', () => {
  const { args } = requestStep(addRouteRequest({ gateway: '10.0.0.1' }))
  const [message, name, place] = args as [Uint8Array, string, number]
  expect(name).toBe('')
  expect(place).toBe(0)
  const view = new DataView(message.buffer)
  expect(view.getUint32(0, true)).toBe(message.length)
  // RTM_NEWROUTE; NLM_F_REQUEST, NLM_F_ACK, NLM_F_EXCL, NLM_F_CREATE.
  expect([view.getUint16(4, true), view.getUint16(6, true)]).toEqual([24, 0x605])
  expect(() => requestStep(addRouteRequest({ gateway: '10.0.0.1' }), 'eth0')).toThrow(TypeError)
  expect(message.length).toBeGreaterThan(HEADER_SIZE)
})

test('NL-10 a step makes a pair whose master is found by its name', () => {
  const make = (master: number) => addLinkRequest({ kind: 'veth', name: 'a', master, up: true, peer: 'b' })
  const step = requestStep(make(1), 'bridge0')
  expect(step.args[1]).toBe('bridge0')
  expect(sent(step, 0x01020304)).toEqual(requestStep(make(0x01020304)).args[0])
  const alone = addLinkRequest({ kind: 'veth', name: 'a', peer: 'b' })
  expect(() => requestStep(alone, 'bridge0')).toThrow('the request is of no link')
})
