import type { Command, CommandTable, Flag } from '@libcontainer/cli'
import { createFlags } from './create-flags.js'

const id: Flag = { name: 'id', value: 'ID', about: 'the container of this id, instead of that of the directory' }
const tty: Flag = { name: 'tty', short: 't', about: 'give the program a terminal of its own, and pass ours on to it' }

/** What says how a program runs. */
const programFlags: readonly Flag[] = [
  tty,
  { name: 'user', short: 'u', value: 'USER[:GROUP]', about: 'as whom it runs (root)' },
  { name: 'cwd', value: 'DIR', about: 'where it runs, inside (/)' },
  { name: 'env', value: 'NAME=VALUE', repeats: true, about: 'a variable of its environment' },
]

/** What says which container, and of what config. */
const containerFlags: readonly Flag[] = [
  { ...id, about: 'the container of this id, instead of that of the directory (with --config: nsinit)' },
  { name: 'config', value: 'FILE', about: 'its config, when it is made; else the flags below say what it is like' },
  { name: 'systemd', about: 'let systemd make its cgroups, where it runs' },
]

/** What CRIU is told. */
const imageFlags: readonly Flag[] = [
  id,
  { name: 'image-path', value: 'DIR', about: 'where the image lies' },
  { name: 'work-path', value: 'DIR', about: "where CRIU's logs go" },
  { name: 'tcp-established', about: 'open connections, too' },
  { name: 'ext-unix-sk', about: 'sockets to processes outside, too' },
  { name: 'shell-job', about: 'the terminal of a shell, too' },
]

const exec: Command = {
  name: 'exec',
  operands: '[command…]',
  runsProgram: true,
  about: 'run a program in a container: the first makes it and ends it, a further one joins it',
  flags: [
    ...programFlags,
    ...containerFlags,
    {
      name: 'json-status-fd',
      value: 'N',
      about: 'write JSON to this descriptor: a line with the pid of the program, and one with how it ended',
    },
    { name: 'func', value: 'NAME', about: 'what to do inside, in place of running a program (exec): see --list' },
    { name: 'list', about: 'print what --func can do' },
    ...createFlags,
  ],
  load: () => import('./commands/exec.js'),
}

/** A command about a container that runs. */
const about = (name: string, text: string, load: Command['load']): Command => ({ name, about: text, flags: [id], load })

export const table: CommandTable = {
  name: 'nsinit',
  about: 'runs programs in containers: that of this directory, which its container.json describes, or one by its --id',
  flags: [
    { name: 'root', value: 'DIR', about: 'where the state of containers lies, root’s own (/var/run/nsinit)' },
    { name: 'log-file', value: 'FILE', about: 'write warnings, and with --debug what is done, to this new file' },
    { name: 'debug', about: 'tell what is done, and where errors arose' },
    { name: 'criu', value: 'FILE', about: 'the program that checkpoints (criu)' },
    { name: 'nspid', value: 'PID', about: 'the container whose first process this is' },
    { name: 'console', value: 'FILE', about: 'a terminal for the program, made by somebody else' },
    { name: 'version', short: 'v', about: 'print the version' },
    { name: 'help', short: 'h', about: 'print this' },
  ],
  commands: [
    exec,
    about('state', 'print its state', () => import('./commands/state.js')),
    about('stats', 'print what its cgroup counts', () => import('./commands/stats.js')),
    about('pause', 'stop all its processes where they are', () => import('./commands/pause.js')),
    about('unpause', 'let them go on', () => import('./commands/unpause.js')),
    about('oom', 'print a line each time that its memory runs out, until it ends', () => import('./commands/oom.js')),
    {
      name: 'config',
      about: 'print container.json of the directory; with flags, or where there is none, a new config',
      flags: [
        { name: 'file', short: 'f', value: 'FILE', about: 'write it to a file, which must not exist yet (-)' },
        ...createFlags,
      ],
      load: () => import('./commands/config.js'),
    },
    {
      name: 'plan',
      operands: '[command…]',
      runsProgram: true,
      about: 'print what exec would do to the kernel, step by step, and do nothing of it',
      flags: [{ name: 'json', about: 'as data' }, ...programFlags, ...containerFlags, ...createFlags],
      load: () => import('./commands/plan.js'),
    },
    {
      name: 'shell',
      operands: '[command…]',
      runsProgram: true,
      about: "open a shell in a container on the host's own programs; needs no config, nor root",
      flags: [tty],
      load: () => import('./commands/shell.js'),
    },
    {
      name: 'doctor',
      about: 'tell what this host offers, what will not work here, and the line that mends it',
      flags: [{ name: 'json', about: 'as data' }],
      load: () => import('./commands/doctor.js'),
    },
    {
      name: 'checkpoint',
      about: 'save a running container with its memory to files',
      flags: [
        ...imageFlags,
        { name: 'leave-running', about: 'do not end it' },
        { name: 'page-server', value: 'ADDR:PORT', about: 'send its memory there' },
        { name: 'json', about: 'tell what it took, as data' },
      ],
      load: () => import('./commands/checkpoint.js'),
    },
    {
      name: 'restore',
      about: 'let a container go on from such files, and wait for it',
      flags: [...imageFlags, ...containerFlags.slice(1), ...createFlags],
      load: () => import('./commands/restore.js'),
    },
    {
      name: 'help',
      operands: '[command]',
      about: 'print this, or the help of a command',
      flags: [],
      load: () => import('./commands/help.js'),
    },
    {
      name: 'init',
      operands: '[…]',
      runsProgram: true,
      internal: true,
      about: 'not for use by hand: the first process of a container once was this command',
      flags: [],
      load: () => import('./commands/init.js'),
    },
    {
      name: 'nsenter',
      operands: '[command…]',
      runsProgram: true,
      internal: true,
      about: 'run a program in the container whose first process is --nspid',
      flags: [
        { name: 'containerjson', value: 'JSON', about: 'a config, for as whom and with what the program runs' },
        ...programFlags,
      ],
      load: () => import('./commands/nsenter.js'),
    },
    {
      name: 'finish',
      operands: 'token path status',
      internal: true,
      about: 'clean up after a container whose program has ended',
      flags: [id],
      load: () => import('./commands/finish.js'),
    },
  ],
}
