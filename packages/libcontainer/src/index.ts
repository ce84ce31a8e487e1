/** Everything of `container` by its own name, and each facility under the name of its package. Nothing native loads before it is used. */

export * as capabilities from '@libcontainer/capabilities'
export * as cgroups from '@libcontainer/cgroups'
export * as console from '@libcontainer/console'
export * from '@libcontainer/container'
export * as devices from '@libcontainer/devices'
export * as init from '@libcontainer/init'
export * as mount from '@libcontainer/mount'
export * as namespaces from '@libcontainer/namespaces'
export * as seccomp from '@libcontainer/seccomp'
export * as sys from '@libcontainer/sys'
export * as user from '@libcontainer/user'
