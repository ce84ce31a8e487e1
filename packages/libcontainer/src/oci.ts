export * from '@libcontainer/oci'
