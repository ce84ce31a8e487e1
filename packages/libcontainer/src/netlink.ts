export * from '@libcontainer/netlink'
