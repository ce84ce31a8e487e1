export * from '@libcontainer/keys'
