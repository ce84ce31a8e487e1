export * from '@libcontainer/sys'
