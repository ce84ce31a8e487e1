import {
  type AttributeFile,
  type AttributeOptions,
  encodeUtf8,
  getAttribute,
  kernelString,
  setAttribute,
} from '@libcontainer/sys'
import { parseContext } from './context.js'
import { isEnabled } from './status.js'
import { labelText } from './thread-label.js'

const ATTRIBUTE = 'security.selinux'

/** A label as libselinux writes it, too: with a NUL. */
export const labelBytes = (label: string): Uint8Array => encodeUtf8(`${label}\0`)

/**
 * The label of a file, also where SELinux is off; `undefined` for one that has none.
 *
 * @param file - its path, or the file, open for reading or writing
 * @param options - `follow: false` for that of a link itself
 * @throws {SyscallError} `EOPNOTSUPP` where the file system keeps none
 * @see getfilecon(3)
 */
export async function getFileLabel(file: AttributeFile, options: AttributeOptions = {}): Promise<string | undefined> {
  const value = await getAttribute(file, ATTRIBUTE, options)
  return (value && labelText(value)) || undefined
}

export interface FileLabelOptions extends AttributeOptions {
  /** Labels also where SELinux is off: for a file system that another kernel is to use. Default: `false`, nothing is done there. */
  readonly whereOff?: boolean | undefined
}

/**
 * Gives a file a label; an empty one changes nothing.
 *
 * @param options - `follow: false` for that of a link itself
 * @throws {ConfigInvalid} for what is no context
 * @throws {SyscallError} `EINVAL` for what the policy does not know, `EACCES`, `EPERM` where it does not allow it, `EOPNOTSUPP` where the file system
 * keeps none
 * @see setfilecon(3)
 */
export async function setFileLabel(
  file: AttributeFile,
  label: string,
  { whereOff = false, ...options }: FileLabelOptions = {},
): Promise<void> {
  if (kernelString(label, 'label') === '') return
  parseContext(label)
  if (whereOff || (await isEnabled())) await setAttribute(file, ATTRIBUTE, labelBytes(label), options)
}
