export * from '@libcontainer/intelrdt'
