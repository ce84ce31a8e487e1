export * from '@libcontainer/seccomp'
