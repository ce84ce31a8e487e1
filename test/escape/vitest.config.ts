import { defineConfig } from 'vitest/config'

/** The attacks that broke others, each on a weakened plan and on the real one: see scripts/test-escape. */
export default defineConfig({
  test: {
    tags: [
      'root',
      'capability',
      'cgroup1',
      'cgroup2',
      'cgroup',
      'namespace',
      'kernel',
      'program',
      'file',
      'rootfs',
    ].map(name => ({
      name,
    })),
    pool: 'forks',
    // Mounts, cgroups and terminals of the machine are shared: one file at a time.
    fileParallelism: false,
    server: { deps: { external: [/\/packages\/[^/]+\/dist\//] } },
    include: ['test/escape/**/*.test.ts'],
    // As in vitest.config.ts.
    retry: 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
