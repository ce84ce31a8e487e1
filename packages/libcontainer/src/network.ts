export * from '@libcontainer/network'
