import { checkIntelRdt, type IntelRdt } from '@libcontainer/intelrdt/config'
import { defined } from '@libcontainer/sys'
import type { Fields } from './fields.js'

/* A class of resctrl as a config of 2026 has it: each field called as in OCI, but for the cache's. */

export function readIntelRdt(rdt: Fields | undefined): IntelRdt | undefined {
  if (rdt === undefined) return undefined
  const read = defined({
    closId: rdt.text('closID'),
    schemata: rdt.texts('schemata'),
    l3CacheSchema: rdt.text('l3_cache_schema'),
    memBwSchema: rdt.text('memBwSchema'),
    enableMonitoring: rdt.flag('enableMonitoring'),
  })
  rdt.end('the intel_rdt of 2026')
  checkIntelRdt(read, rdt.at)
  return read
}

export const writeIntelRdt = ({ closId, l3CacheSchema, ...others }: IntelRdt): object =>
  defined({ closID: closId, l3_cache_schema: l3CacheSchema, ...others })
