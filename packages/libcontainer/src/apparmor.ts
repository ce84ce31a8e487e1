export * from '@libcontainer/apparmor'
