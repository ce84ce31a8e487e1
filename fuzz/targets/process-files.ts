import { parseFileLimit, parseKernelVersion, parseProcessStat } from '@libcontainer/sys'
import { parseStatus } from '../../packages/capabilities/src/process.js'
import { parseWriter } from '../../packages/namespaces/src/write-maps.js'
import { answer, hold, same, textOf } from '../support/oracles.js'

/** Files of /proc about a process, which names itself as it likes: a hostile name must not move the fields behind it. */
export function fuzz(data: Uint8Array): void {
  const text = textOf(data)
  const stat = answer(() => parseProcessStat(text), 'EPROTO')
  if (stat !== undefined)
    hold(Number.isInteger(stat.pid) && Number.isInteger(stat.parent) && stat.state.length === 1, 'no process')
  // The kernel's line with this name: 15 bytes of anything but a NUL.
  const comm = textOf(data.subarray(0, 15)).replaceAll('\0', '')
  const line = `7 (${comm}) S 3 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2\n`
  same(parseProcessStat(line), { pid: 7, comm, state: 'S', parent: 3, startTime: 987654n }, `the process ${comm}`)

  const masks = answer(() => parseStatus(text), 'SystemError')
  if (masks !== undefined)
    hold(
      Object.values(masks).every(mask => mask >= 0n && mask < 1n << 64n),
      'more capabilities than bits',
    )
  const name = comm.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  const status = `Name:\t${name}\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nCapEff:\t0000000000000080\n`
  const { euid, egid, setgid, setuid } = parseWriter(status)
  same({ euid, egid, setgid, setuid }, { euid: 2, egid: 6, setgid: false, setuid: true }, `the status of ${name}`)
  answer(() => parseFileLimit(text))
  answer(() => parseKernelVersion(text))
}

export function seeds(): string[] {
  const masks = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map(set => `${set}:\t00000000a80425fb\n`)
  return [
    '7 (sh) S 3 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2\n',
    ') R 1 1 1 1',
    'x\nUid: 0 0 0 0',
    `Name:\tsh\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n${masks.join('')}`,
    'Max open files            1024                 unlimited            files     \n',
    '5.10.0-28-amd64',
  ]
}
