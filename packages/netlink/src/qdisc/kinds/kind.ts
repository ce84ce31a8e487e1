/** How the options of one kind of queueing discipline, or of its classes, stand in a message. */
export interface QdiscKind<O> {
  /** @throws {ConfigInvalid} that names the field behind `field` */
  encode(options: O, field: string): Uint8Array
  /** @throws {LibcontainerError} `EPROTO` for what is none */
  decode(bytes: Uint8Array): O
}
