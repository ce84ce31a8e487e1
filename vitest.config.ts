import { defineConfig } from 'vitest/config'

const everywhere = ['packages/*/test', 'test']

/**
 * What faces the kernel is tried once more when it fails: a machine that does other things may starve it. The totals list what was. What needs nothing
 * but itself is not.
 */
const retry = 1

/** They look at nothing of the machine that another test changes: most wait for programs that they start. Two files at a time. */
const inPairs = [
  'packages/{nsinit,lcrun}/test/*.root.test.ts',
  'packages/cgroups/test/command.root.test.ts',
  'packages/container/test/{attributes,bind-descriptor,core-scheduling,errors,events,executor,hook-failures,hook-points,hooks,integration,landlock,lifecycle,monitor,no-user-namespaces,operations,order,presets,proc-files,process,process-more,removal,rootless,rootless-option,sandbox,seccomp-notify,sharing,state-trust,stop}.root.test.ts',
  'packages/{capabilities,console,seccomp}/test/*.root.test.ts',
  'packages/namespaces/test/{map-helpers,namespaces,programs,rootless,steps}.root.test.ts',
  'packages/netlink/test/{addresses,link-kinds,links,monitor,neighbours,qdiscs,routes,socket,sockets}.root.test.ts',
  'packages/sys/test/*.root.test.ts',
  'test/{common,custom-runtime,import,readme}.root.test.ts',
]

export default defineConfig({
  test: {
    // The kinds of needs that `requires` of test/support knows: `vitest --tags-filter '!root'` leaves those tests out.
    tags: [
      'root',
      'capability',
      'cgroup1',
      'cgroup2',
      'hybrid',
      'cgroup',
      'namespace',
      'link',
      'qdisc',
      'landlock',
      'lsm',
      'nolsm',
      'criu',
      'kernel',
      'program',
      'header',
      'file',
      'rootfs',
      'reachable',
    ].map(name => ({ name })),
    // A process of its own for each file: bindings, descriptors and namespaces are of a process, not of a thread.
    pool: 'forks',
    // What was built is imported as its users import it: Node.js loads it, and nothing transforms it.
    server: { deps: { external: [/\/packages\/[^/]+\/dist\//] } },
    // For a machine of two cores that does other things, too: a test that hangs is found all the same.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          // They change nothing of their process: two processes for all of them take a third of the time.
          isolate: false,
          setupFiles: ['test/support/resolvable.ts'],
          // Of two cores vitest by itself would use one.
          maxWorkers: '100%',
          include: everywhere.map(folder => `${folder}/**/*.test.ts`),
          exclude: ['**/*.root.test.ts', '**/node_modules/**', 'test/packages/**', 'test/engines/**', 'test/escape/**'],
        },
      },
      {
        extends: true,
        test: {
          name: 'root',
          retry,
          include: everywhere.map(folder => `${folder}/**/*.root.test.ts`),
          exclude: ['**/node_modules/**', 'test/escape/**', ...inPairs],
          // Mounts, cgroups and limits of the machine are shared: one file at a time.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'pairs',
          retry,
          include: inPairs,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
