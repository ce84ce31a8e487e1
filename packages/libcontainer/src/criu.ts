export * from '@libcontainer/criu'
