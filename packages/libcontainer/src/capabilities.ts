export * from '@libcontainer/capabilities'
