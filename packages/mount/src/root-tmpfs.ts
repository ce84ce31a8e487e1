import { type Arg, ConfigInvalid, nulTerminated, type Step, slot } from '@libcontainer/sys'
import { labelledData } from './labels.js'
import { parseMountOptions } from './options.js'

/**
 * Refuses what are no options of tmpfs(5). Pure.
 *
 * @throws {ConfigInvalid}
 */
export function checkRootTmpfs(options: readonly string[], field = 'rootTmpfs'): void {
  const { data } = parseMountOptions(options, field)
  const flag = wordsOf(options).find(option => !data.includes(option))
  if (flag !== undefined)
    throw new ConfigInvalid(
      field,
      flag,
      'must be an option of tmpfs(5), such as size=16m: the root is nosuid and nodev, and readonlyRootfs makes it read-only',
    )
}

/** Several may be in one text, as in fstab(5). */
const wordsOf = (options: readonly string[]): string[] => options.flatMap(option => option.split(','))

export interface RootTmpfsStepOptions {
  /** Default: the slot `root`, which `prepareRootSteps` fills. */
  readonly root?: Arg | undefined
  /** SELinux's label of all that it holds. Default: that of the policy. */
  readonly label?: string | undefined
}

/**
 * Covers the root that `prepareRootSteps` has made by an empty tmpfs, right after it: the slot is then the tmpfs, which ends with the mount namespace.
 *
 * @param options - of tmpfs(5): `size=16m`, `mode=755` (the default)
 */
export function rootTmpfsStep(
  options: readonly string[],
  { root = slot('root'), label }: RootTmpfsStepOptions = {},
): Step {
  return {
    op: 'tmpfsRoot',
    args: [root, nulTerminated(labelledData('tmpfs', wordsOf(options), label))],
    about: 'mount tmpfs on the root',
    path: '/',
    hints: { EPERM: 'mounting tmpfs needs CAP_SYS_ADMIN over the mount namespace' },
  }
}
