export * from '@libcontainer/console'
