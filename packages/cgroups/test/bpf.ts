/** Runs a cgroup-device program as the kernel's interpreter would: only the instructions that ours is made of. */
export function runDeviceProgram(
  program: Uint8Array,
  device: { type: 'b' | 'c'; major: number; minor: number },
  access: string,
): boolean {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength)
  const bits = [...access].reduce((sum, letter) => sum | { m: 1, r: 2, w: 4 }[letter as 'm'], 0)
  const context = [(bits << 16) | (device.type === 'b' ? 1 : 2), device.major, device.minor]
  const registers = new Array<bigint>(11).fill(0n)
  const u32 = (value: bigint): bigint => BigInt.asUintN(32, value)
  for (let at = 0; at < program.length / 8; at++) {
    const code = view.getUint8(at * 8)
    const to = view.getUint8(at * 8 + 1) & 15
    const from = view.getUint8(at * 8 + 1) >> 4
    const offset = view.getInt16(at * 8 + 2, true)
    const value = BigInt(view.getInt32(at * 8 + 4, true))
    const mine = registers[to]!
    if (code === 0x61) registers[to] = BigInt(context[offset / 4]!)
    else if (code === 0xbf) registers[to] = registers[from]!
    else if (code === 0xb7) registers[to] = BigInt.asUintN(64, value)
    else if (code === 0x57) registers[to] = mine & BigInt.asUintN(64, value)
    else if (code === 0x77) registers[to] = mine >> value
    else if (code === 0x05) at += offset
    else if (code === 0x56) at += u32(mine) === u32(value) ? 0 : offset
    else if (code === 0x46) at += (u32(mine) & u32(value)) === 0n ? 0 : offset
    else if (code === 0x95) return registers[0] === 1n
    else throw new Error(`no such instruction: 0x${code.toString(16)}`)
  }
  throw new Error('the program runs over its end')
}
