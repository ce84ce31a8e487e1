export * from '@libcontainer/cgroups'
