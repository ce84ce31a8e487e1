import { criuReq, criuResp } from '../../packages/criu/src/messages.js'
import { pagesOf } from '../../packages/criu/src/pages.js'
import { decodeMessage, encodeMessage } from '../../packages/criu/src/protobuf.js'
import { parseStats } from '../../packages/criu/src/stats.js'
import { answer, hold, same } from '../support/oracles.js'

/** Messages of CRIU's RPC, which say the same when they are written and read again, and images of its. */
export function fuzz(data: Uint8Array): void {
  for (const table of [criuReq, criuResp]) {
    const message = answer(() => decodeMessage<typeof criuResp>(table as typeof criuResp, data), 'EPROTO')
    if (message === undefined) continue
    const bytes = answer(() => encodeMessage(table as typeof criuResp, message), 'ConfigInvalid')
    if (bytes !== undefined) same(decodeMessage(table as typeof criuResp, bytes), message, 'written and read again')
  }
  const pages = answer(() => pagesOf(data), 'EPROTO')
  hold(pages === undefined || pages.bytes >= 0, 'pages fewer than none')
  answer(() => parseStats(data), 'EPROTO')
}

export function seeds(): Uint8Array[] {
  return [
    encodeMessage(criuResp, { type: 'RESTORE', success: true, restore: { pid: 300 } }),
    encodeMessage(criuResp, { type: 'NOTIFY', success: true, notify: { script: 'post-restore', pid: 7 } }),
    encodeMessage(criuResp, { type: 'DUMP', success: false, crErrno: 3, crErrmsg: 'no' }),
    encodeMessage(criuReq, {
      type: 'DUMP',
      opts: {
        imagesDirFd: -1,
        external: ['net[1]:k'],
        extMnt: [{ key: 'a', val: 'b' }],
        ps: { address: '::1', port: 27 },
        manageCgroupsMode: 'soft',
      },
    }),
    Uint8Array.of(0x19, 0x43, 0x56, 0x54, 0x25, 0x40, 0x08, 0x56, 2, 0, 0, 0, 8, 1, 4, 0, 0, 0, 16, 5, 32, 4),
    Uint8Array.of(0x40, 0x59, 0x10, 0x55, 0x06, 0x33, 0x09, 0x57, 4, 0, 0, 0, 10, 2, 8, 5),
  ]
}
