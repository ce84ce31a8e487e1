import { checkLinkName } from '@libcontainer/netlink/text'
import { ConfigInvalid, kernelString } from '@libcontainer/sys'
import { checkChoice, checkFields, checkMtu } from '../fields.js'
import type { Strategy } from '../strategy.js'
import {
  type HostNetwork,
  type NetnsNetwork,
  type NoneNetwork,
  type UserModeNetwork,
  userModeHelpers,
} from '../types.js'

/** The namespace of a path: whoever makes the container's namespaces joins it. */
export const netns: Strategy<NetnsNetwork> = {
  type: 'netns',
  named: false,
  check(network, field) {
    const { path } = checkFields(network, field, ['type', 'path'])
    if (!kernelString(path as string, `${field}.path`).startsWith('/'))
      throw new ConfigInvalid(`${field}.path`, path, 'must be the absolute path of a network namespace')
  },
  create: () => [],
  initialize: () => [],
}

/** Nothing but a loopback. */
export const none: Strategy<NoneNetwork> = {
  type: 'none',
  named: false,
  check: (network, field) => void checkFields(network, field, ['type']),
  create: () => [],
  initialize: () => [],
}

/** The caller's own. */
export const host: Strategy<HostNetwork> = { ...(none as Strategy<never>), type: 'host' }

/** A program that passes traffic on. */
export const user: Strategy<UserModeNetwork> = {
  type: 'user',
  named: false,
  check(network, field) {
    const { helper, name, mtu } = checkFields(network, field, ['type', 'helper', 'name', 'mtu'])
    checkChoice(helper, `${field}.helper`, userModeHelpers)
    if (name !== undefined) checkLinkName(name as string, `${field}.name`)
    checkMtu(mtu, `${field}.mtu`)
  },
  create: ({ helper, mtu }, { name }) => [
    { act: 'helper', about: `start ${helper ?? 'a helper for a user-mode network'}`, helper, name, mtu },
  ],
  initialize: () => [],
}
