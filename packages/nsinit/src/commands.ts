import type { Command, CommandTable, Flag } from './command-line.js'

const rootfs: Flag = {
  name: 'rootfs',
  value: 'DIR',
  about: 'the root filesystem, instead of the one that container.json names',
}
const tty: Flag = { name: 'tty', short: 't', about: 'give the program a terminal of its own, and pass ours on to it' }

const exec: Command = {
  name: 'exec',
  operands: '[command…]',
  runsProgram: true,
  about: 'run a program in the container of the directory: the first makes it and ends it, a further one joins it',
  flags: [tty, rootfs],
  load: () => import('./commands/exec.js'),
}

export const table: CommandTable = {
  name: 'nsinit',
  about: 'runs programs in containers that container.json of a directory describes',
  flags: [
    { name: 'root', value: 'DIR', about: 'the directory of container.json and state.json ($data_path, else this one)' },
    { name: 'state-root', value: 'DIR', about: 'where the state that is trusted lies (/run/nsinit)' },
    { name: 'debug', about: 'tell where errors arose' },
    { name: 'version', short: 'v', about: 'print the version' },
    { name: 'help', short: 'h', about: 'print this' },
  ],
  commands: [
    exec,
    {
      name: 'state',
      about: 'print the state of the container of the directory',
      flags: [],
      load: () => import('./commands/state.js'),
    },
    {
      name: 'stats',
      about: 'print what its cgroup counts',
      flags: [],
      load: () => import('./commands/stats.js'),
    },
    {
      name: 'pause',
      about: 'stop all its processes where they are',
      flags: [],
      load: () => import('./commands/pause.js'),
    },
    {
      name: 'unpause',
      about: 'let them go on',
      flags: [],
      load: () => import('./commands/unpause.js'),
    },
    {
      name: 'config',
      about: 'print container.json of the directory, or with --rootfs a new one',
      flags: [
        { name: 'rootfs', value: 'DIR', about: 'print a new config for this root filesystem' },
        { name: 'file', short: 'f', value: 'FILE', about: 'write it to a file, which must not exist yet' },
      ],
      load: () => import('./commands/config.js'),
    },
    {
      name: 'plan',
      operands: '[command…]',
      runsProgram: true,
      about: 'print what exec would do to the kernel, step by step, and do nothing of it',
      flags: [tty, rootfs, { name: 'json', about: 'as data' }],
      load: () => import('./commands/plan.js'),
    },
    {
      name: 'finish',
      operands: 'token status',
      internal: true,
      about: 'clean up after a container whose program has ended',
      flags: [{ name: 'id', value: 'ID', about: 'its id' }],
      load: () => import('./commands/finish.js'),
    },
  ],
}
