export * from '@libcontainer/user'
