import { applyToCgroups, Cgroup } from '@libcontainer/cgroups'
import { warn } from '@libcontainer/cli'
import type { CgroupOption } from '@libcontainer/container'

/** Containers without a cgroup of their own, as crun's `--cgroup-manager disabled` has them. */
export const noCgroups: Exclude<CgroupOption, string> = {
  at: async where => await Cgroup.at(typeof where === 'string' ? {} : where),
  open: async where => await Cgroup.at(typeof where === 'string' ? {} : where),
  async create(_path, { devices: _, ...limits }, { before = [], results }) {
    if (Object.values(limits).some(limit => limit !== undefined))
      warn('--cgroup-manager disabled: the limits of the config do not hold')
    await applyToCgroups(before, results === undefined ? {} : { results })
    return await Cgroup.at({})
  },
}
