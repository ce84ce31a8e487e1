import { defineConfig } from 'vitest/config'

/** What is in the tarballs of `npm run release -- --dry-run`: see scripts/test-packages. */
export default defineConfig({
  test: {
    tags: ['root', 'rootfs', 'program', 'file'].map(name => ({ name })),
    pool: 'forks',
    fileParallelism: false,
    include: ['test/packages/**/*.test.ts'],
    // As in vitest.config.ts.
    retry: 1,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
