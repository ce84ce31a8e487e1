export * from '@libcontainer/init'
