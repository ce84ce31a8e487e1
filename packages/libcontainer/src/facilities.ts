import * as apparmor from '@libcontainer/apparmor'
import * as capabilities from '@libcontainer/capabilities'
import * as cgroups from '@libcontainer/cgroups'
import * as console from '@libcontainer/console'
import * as container from '@libcontainer/container'
import * as criu from '@libcontainer/criu'
import * as devices from '@libcontainer/devices'
import * as init from '@libcontainer/init'
import * as intelrdt from '@libcontainer/intelrdt'
import * as keys from '@libcontainer/keys'
import * as mount from '@libcontainer/mount'
import * as namespaces from '@libcontainer/namespaces'
import * as netlink from '@libcontainer/netlink'
import * as network from '@libcontainer/network'
import * as oci from '@libcontainer/oci'
import * as seccomp from '@libcontainer/seccomp'
import * as selinux from '@libcontainer/selinux'
import * as sys from '@libcontainer/sys'
import * as user from '@libcontainer/user'

/** What every package says of itself and of its host. */
export interface Facility {
  features(): sys.Features
  probe(): Promise<sys.Probe>
}

/** All packages of which this one is made, by the folder's name. */
export const facilities: ReadonlyMap<string, Facility> = new Map<string, Facility>(
  Object.entries({
    capabilities,
    cgroups,
    console,
    container,
    devices,
    init,
    intelrdt,
    keys,
    apparmor,
    criu,
    mount,
    namespaces,
    netlink,
    network,
    oci,
    seccomp,
    selinux,
    sys,
    user,
  }),
)
