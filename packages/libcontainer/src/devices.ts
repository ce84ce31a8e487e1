export * from '@libcontainer/devices'
