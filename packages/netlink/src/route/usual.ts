import { familyWord, formatAddress, formatIpv4 } from '../address/text.js'
import { aligned, viewOf } from '../message/wire.js'
import type { Route } from './route.js'
import { putFlags, routePreferences, routeProtocols, routeScopes, routeTables, routeTypes } from './words.js'

/** struct rtmsg, and struct rtattr. */
const MESSAGE = 12
const HEADER = 4

/** RTA_*: what all but few routes are made of. */
const DESTINATION = 1
const LINK = 4
const GATEWAY = 5
const METRIC = 6
const SOURCE = 7
const CACHE = 12
const TABLE = 15
const PREFERENCE = 20

/**
 * A route that has nothing but what most have, read without a table of attributes, which takes half the time: there may be a million of them. `undefined` for
 * one that has more, or that is not as it should be: the table reads it, and tells what is wrong.
 */
export function usualRoute(payload: Uint8Array): Route | undefined {
  const family = familyWord(payload[0])
  // Of a source prefix and a type of service the table knows more.
  if (family === undefined || payload.length < MESSAGE || payload[2] !== 0 || payload[3] !== 0) return undefined
  const view = viewOf(payload)
  const start = payload.byteOffset
  const size = family === 'inet' ? 4 : 16
  const end = start + payload.length
  const route: Route = {
    family,
    type: routeTypes.word(payload[7]!),
    destination: 'default',
    table: 'main',
    protocol: routeProtocols.word(payload[5]!),
    scope: routeScopes.word(payload[6]!),
  }
  putFlags(route, view.getUint32(start + 8, true))
  let table = payload[4]!
  let destination = false
  for (let at = start + MESSAGE; at < end; ) {
    if (end - at < HEADER) return undefined
    const length = view.getUint16(at, true)
    if (length < HEADER || length > end - at) return undefined
    const value = at + HEADER
    switch ((view.getUint16(at + 2, true) << 8) | (length - HEADER)) {
      case (DESTINATION << 8) | 4:
      case (DESTINATION << 8) | 16:
        if (length - HEADER !== size) return undefined
        route.destination = `${address(payload, value - start, size)}/${payload[1]}`
        destination = true
        break
      case (LINK << 8) | 4:
        route.dev = view.getUint32(value, true)
        break
      case (GATEWAY << 8) | 4:
      case (GATEWAY << 8) | 16:
        route.gateway = address(payload, value - start, length - HEADER)
        break
      case (METRIC << 8) | 4:
        route.metric = view.getUint32(value, true)
        break
      case (SOURCE << 8) | 4:
      case (SOURCE << 8) | 16:
        route.source = address(payload, value - start, length - HEADER)
        break
      case (CACHE << 8) | 32:
        // One that ends has more to tell.
        if (view.getInt32(value + 8, true) > 0) return undefined
        break
      case (TABLE << 8) | 4:
        table = view.getUint32(value, true)
        break
      case (PREFERENCE << 8) | 1:
        route.preference = routePreferences.word(view.getUint8(value))
        break
      default:
        return undefined
    }
    at += aligned(length)
  }
  if (!destination && payload[1] !== 0) return undefined
  route.table = routeTables.word(table)
  return route
}

function address(bytes: Uint8Array, at: number, size: number): string {
  return size === 4 ? formatIpv4(bytes, at) : formatAddress(bytes.subarray(at, at + size))
}
