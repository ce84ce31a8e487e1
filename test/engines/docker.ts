/** What daemon.json says: lcrun for every container, plain copies for storage. */
export const dockerSettings = (runtime: string): object => ({
  runtimes: { lcrun: { path: runtime } },
  'default-runtime': 'lcrun',
  'storage-driver': 'vfs',
  'exec-opts': ['native.cgroupdriver=cgroupfs'],
})
