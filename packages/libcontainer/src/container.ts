export * from '@libcontainer/container'
