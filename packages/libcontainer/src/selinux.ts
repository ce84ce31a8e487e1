export * from '@libcontainer/selinux'
