export * from '@libcontainer/namespaces'
