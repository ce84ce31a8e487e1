import { ConfigInvalid, LibcontainerError } from '@libcontainer/sys'

/** The highest id that a user specification may name. */
export const MAX_ID = 2147483647

/** A number where a user or group belongs that is no id from 0 to {@link MAX_ID}. */
export class IdOutOfRange extends ConfigInvalid {
  constructor(field: string, value: unknown) {
    super(field, value, `ids must be in the range 0-${MAX_ID}`)
  }
}

/** No entry of the passwd file is the one that was looked for. */
export class NoPasswdEntries extends LibcontainerError {
  override readonly name = 'NoPasswdEntries'

  constructor(what: string) {
    super('NoPasswdEntries', `no matching entries in the passwd file: ${what}`)
  }
}

/** No entry of the group file is the one that was looked for. */
export class NoGroupEntries extends LibcontainerError {
  override readonly name = 'NoGroupEntries'

  constructor(what: string) {
    super('NoGroupEntries', `no matching entries in the group file: ${what}`)
  }
}
