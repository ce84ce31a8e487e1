import { defineConfig } from 'vitest/config'

/** Engines with lcrun as their runtime, on the machine that scripts/test-engines makes for them. */
export default defineConfig({
  test: {
    tags: ['root', 'rootfs', 'program', 'file'].map(name => ({ name })),
    pool: 'forks',
    // Engines share the machine: its cgroups, its state directories.
    fileParallelism: false,
    include: ['test/engines/**/*.test.ts'],
    // As in vitest.config.ts.
    retry: 1,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
