export * from '@libcontainer/mount'
