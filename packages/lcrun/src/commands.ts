import type { Command, CommandTable, Flag } from '@libcontainer/cli'
import {
  checkpointFlags,
  createFlags,
  execFlags,
  globalFlags,
  regex,
  restoreFlags,
  runFlags,
  updateFlags,
} from './flags.js'

/** A command about one container. */
const about = (
  name: string,
  text: string,
  load: Command['load'],
  flags: readonly Flag[] = [],
  more: Partial<Command> = {},
): Command => ({ name, about: text, operands: 'ID', count: [1, 1], onContainer: true, flags, load, ...more })

const format = (choices: readonly string[], text: string): Flag => ({
  name: 'format',
  short: 'f',
  value: 'FORMAT',
  choices,
  about: text,
})

const json: Flag = { name: 'json', about: 'as data' }

export const table: CommandTable = {
  name: 'lcrun',
  about: 'runs containers from OCI bundles, for engines and for people',
  flags: globalFlags,
  flagsFirst: true,
  commands: [
    about(
      'create',
      'make a container from a bundle; its program waits for start',
      () => import('./commands/create.js'),
      createFlags,
      {
        onContainer: false,
      },
    ),
    about('start', 'let the program of a created container run', () => import('./commands/start.js')),
    about('run', 'create and start, and wait for the program', () => import('./commands/run.js'), runFlags, {
      onContainer: false,
    }),
    about('exec', 'run a further program in a container', () => import('./commands/exec.js'), execFlags, {
      operands: 'ID [command…]',
      count: [1, Number.POSITIVE_INFINITY],
      runsProgram: true,
    }),
    about(
      'kill',
      'send a signal to the first process (TERM)',
      () => import('./commands/kill.js'),
      [{ name: 'all', short: 'a', about: 'to all processes of the container' }, regex],
      { operands: 'ID [signal]', count: [1, 2], dashedOperands: /^-(?:\d+|[A-Z]{2,}\d*(?:[+-]\d+)?)$/ },
    ),
    about('delete', 'remove a container that has ended, or was created alone', () => import('./commands/delete.js'), [
      { name: 'force', short: 'f', about: 'also one that runs, which is killed; and one that does not exist' },
      regex,
    ]),
    about('state', 'print the state of a container, as data', () => import('./commands/state.js')),
    {
      name: 'list',
      about: 'print all containers',
      count: [0, 0],
      flags: [
        format(['table', 'json'], 'table or json (table)'),
        { name: 'quiet', short: 'q', about: 'their ids alone' },
      ],
      load: () => import('./commands/list.js'),
    },
    about(
      'ps',
      'print the processes of a container',
      () => import('./commands/ps.js'),
      [format(['table', 'json'], 'table, or json for the pids alone (table)')],
      {
        operands: 'ID [option of ps…]',
        count: [1, Number.POSITIVE_INFINITY],
        runsProgram: true,
      },
    ),
    about('pause', 'stop all processes of a container where they are', () => import('./commands/pause.js')),
    about('resume', 'let a paused container go on', () => import('./commands/resume.js')),
    about(
      'events',
      'print what a container uses, and when its memory runs out, until it ends',
      () => import('./commands/events.js'),
      [
        { name: 'interval', value: 'TIME', about: 'how often: 500ms, 5s, 1m (5s)' },
        { name: 'stats', about: 'once, and end' },
      ],
    ),
    about(
      'wait',
      'wait until a container is in one of these states (stopped), whoever sees to it, and print which',
      () => import('./commands/wait.js'),
      [{ name: 'timeout', value: 'TIME', about: 'no longer than this: 500ms, 5s, 1m' }],
      { operands: 'ID [state…]', count: [1, Number.POSITIVE_INFINITY] },
    ),
    {
      name: 'monitor',
      about: 'print what containers do, all of them or these, a line of JSON each time',
      operands: '[ID…]',
      flags: [],
      load: () => import('./commands/monitor.js'),
    },
    about('update', 'change the limits of a container', () => import('./commands/update.js'), updateFlags),
    {
      name: 'spec',
      about: 'write a config to start from',
      flags: [
        { name: 'bundle', short: 'b', value: 'DIR', emptyIsAbsent: true, path: 'directory', about: 'where (.)' },
        {
          name: 'file',
          short: 'f',
          value: 'FILE',
          emptyIsAbsent: true,
          path: 'file',
          about: 'under another name than config.json',
        },
        { name: 'rootless', about: 'for an ordinary user' },
      ],
      load: () => import('./commands/spec.js'),
    },
    {
      name: 'features',
      about: 'print what this runtime can do, as data',
      flags: [],
      load: () => import('./commands/features.js'),
    },
    {
      name: 'info',
      about: 'print what this runtime and this host are',
      flags: [json],
      load: () => import('./commands/info.js'),
    },
    {
      name: 'mounts',
      about: 'add the mounts of a file to a running container, or remove them',
      operands: 'add|remove ID FILE',
      count: [3, 3],
      flags: [],
      load: () => import('./commands/mounts.js'),
    },
    {
      name: 'plan',
      about: 'print what run would do to the kernel, step by step, and do nothing of it',
      operands: '[ID]',
      count: [0, 1],
      flags: [json, ...createFlags.filter(({ name }) => name === 'bundle' || name === 'config')],
      load: () => import('./commands/plan.js'),
    },
    {
      name: 'doctor',
      about: 'tell what this host offers, what will not work here, and the line that mends it',
      flags: [json],
      load: () => import('./commands/doctor.js'),
    },
    about(
      'checkpoint',
      'save a running container with its memory to files',
      () => import('./commands/checkpoint.js'),
      checkpointFlags,
    ),
    about('restore', 'let a container go on from such files', () => import('./commands/restore.js'), restoreFlags, {
      onContainer: false,
    }),
    {
      name: 'completion',
      about: 'print what makes a shell complete this command line',
      operands: 'bash|zsh|fish',
      count: [1, 1],
      flags: [],
      load: () => import('./commands/completion.js'),
    },
    {
      name: 'man',
      about: 'print a manual page: of all, or of a command',
      operands: '[command]',
      count: [0, 1],
      internal: true,
      flags: [],
      load: () => import('./commands/man.js'),
    },
    {
      name: 'help',
      about: 'print this, or the help of a command',
      operands: '[command]',
      count: [0, 1],
      flags: [],
      load: () => import('./commands/help.js'),
    },
    {
      name: 'init',
      about: 'not for use by hand: the first process of a container once was this command',
      operands: '[…]',
      runsProgram: true,
      internal: true,
      flags: [],
      load: () => import('./commands/init.js'),
    },
    {
      name: 'finish',
      about: 'clean up after a container whose program has ended',
      operands: 'ID token status',
      count: [3, 3],
      internal: true,
      flags: [],
      load: () => import('./commands/finish.js'),
    },
  ],
}
