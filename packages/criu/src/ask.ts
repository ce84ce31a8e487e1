import { type Connection, connect } from './connection.js'
import type { CriuReq, CriuResp } from './messages.js'
import type { Criu } from './place.js'

/** Which CRIU is asked: over a connection that is there already, where there is one. */
export interface Asked extends Criu {
  readonly connection?: Connection | undefined
}

/** A question that changes nothing: whoever has a connection can go on with it. */
export async function ask(criu: Asked, request: CriuReq): Promise<CriuResp> {
  if (criu.connection !== undefined) return (await criu.connection.request({ ...request, keepOpen: true })).response
  const connection = await connect(criu)
  try {
    return (await connection.request(request)).response
  } finally {
    await connection.end()
  }
}
