import { createServer } from 'node:net'

export interface Standstill extends Disposable {
  readonly address: string
  readonly port: number
  /** Resolves when somebody has connected. */
  readonly reached: Promise<void>
}

/** A page server that accepts and takes nothing: CRIU waits for it in the middle of a dump. */
export async function standstill(): Promise<Standstill> {
  const address = '127.0.0.1'
  const sockets: { destroy(): void }[] = []
  let tell = (): void => {}
  const reached = new Promise<void>(resolve => {
    tell = resolve
  })
  const server = createServer({ pauseOnConnect: true }, socket => {
    sockets.push(socket)
    tell()
  })
  await new Promise<void>(resolve => server.listen(0, address, resolve))
  const { port } = server.address() as { port: number }
  return {
    address,
    port,
    reached,
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
