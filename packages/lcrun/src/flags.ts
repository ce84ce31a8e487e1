import type { Flag } from '@libcontainer/cli'

/** Before the command: those of all OCI runtimes, and crun's and youki's. */
export const globalFlags: readonly Flag[] = [
  {
    name: 'root',
    value: 'DIR',
    path: 'directory',
    about: 'where the state of containers lies (/run/lcrun; of an ordinary user $XDG_RUNTIME_DIR/lcrun)',
  },
  {
    name: 'log',
    value: 'FILE',
    emptyIsAbsent: true,
    path: 'file',
    about: 'write messages to the end of this file, too; file:PATH, syslog:NAME or journald:NAME for another place',
  },
  {
    name: 'log-format',
    value: 'FORMAT',
    emptyIsAbsent: true,
    choices: ['text', 'json'],
    about: 'of messages: text or json (text)',
  },
  {
    name: 'log-level',
    value: 'LEVEL',
    emptyIsAbsent: true,
    choices: ['debug', 'info', 'warn', 'warning', 'error'],
    about: 'the least that is told: debug, info, warning or error (info)',
  },
  { name: 'debug', about: 'tell what is done, and where errors arose' },
  { name: 'systemd-cgroup', about: 'let systemd make the cgroups' },
  {
    name: 'cgroup-manager',
    value: 'WHO',
    choices: ['cgroupfs', 'systemd', 'disabled'],
    about: 'who makes the cgroups: cgroupfs, systemd or disabled (cgroupfs)',
  },
  {
    name: 'rootless',
    value: 'WHEN',
    emptyIsAbsent: true,
    about: 'go on without cgroups where they may not be made: true, false or auto (auto)',
  },
  { name: 'no-pivot', about: 'move the root in place of pivoting it, for a root in a ramdisk' },
  { name: 'criu', value: 'FILE', emptyIsAbsent: true, path: 'file', about: 'the program that checkpoints (criu)' },
  { name: 'systemd-log', internal: true, about: 'write messages to the journal, too' },
  { name: 'version', short: 'v', about: 'print the versions of this program and of the specification' },
  { name: 'help', short: 'h', about: 'print this' },
]

const bundle: Flag = {
  name: 'bundle',
  short: 'b',
  value: 'DIR',
  emptyIsAbsent: true,
  path: 'directory',
  about: "the bundle's directory, which has config.json (.)",
}
const config: Flag = {
  name: 'config',
  short: 'f',
  value: 'FILE',
  emptyIsAbsent: true,
  path: 'file',
  about: 'the config, when it is not config.json of the bundle',
}
const consoleSocket: Flag = {
  name: 'console-socket',
  value: 'SOCKET',
  emptyIsAbsent: true,
  path: 'file',
  about: 'send the master of the terminal over this UNIX socket',
}
const pidfdSocket: Flag = {
  name: 'pidfd-socket',
  value: 'SOCKET',
  emptyIsAbsent: true,
  path: 'file',
  about: 'send a pidfd of the process over this UNIX socket',
}
const pidFile: Flag = {
  name: 'pid-file',
  value: 'FILE',
  emptyIsAbsent: true,
  path: 'file',
  about: 'write the pid of the process to this file',
}
const jsonStatusFd: Flag = {
  name: 'json-status-fd',
  value: 'N',
  about: 'write JSON to this descriptor: a line with the pid of the program, and one with how it ended',
}
const noPivot: Flag = { name: 'no-pivot', about: 'move the root in place of pivoting it, for a root in a ramdisk' }
const noSubreaper: Flag = {
  name: 'no-subreaper',
  about: 'do not become the parent of what the program leaves behind, in the foreground',
}
const preserveFds: Flag = {
  name: 'preserve-fds',
  value: 'N',
  about: 'pass on N further descriptors, from 3 on, beside those of $LISTEN_FDS (0)',
}
const detach: Flag = { name: 'detach', short: 'd', about: 'do not wait for the process' }

export const createFlags: readonly Flag[] = [
  bundle,
  config,
  consoleSocket,
  pidfdSocket,
  pidFile,
  noPivot,
  { name: 'no-new-keyring', about: 'let the container keep the session keyring of the caller' },
  preserveFds,
  { ...noSubreaper, internal: true },
]

export const runFlags: readonly Flag[] = [
  ...createFlags.filter(({ name }) => name !== 'no-subreaper'),
  detach,
  jsonStatusFd,
  { name: 'keep', about: 'leave the container when its program has ended' },
  noSubreaper,
]

export const execFlags: readonly Flag[] = [
  consoleSocket,
  pidfdSocket,
  { name: 'cwd', value: 'DIR', emptyIsAbsent: true, about: 'where it runs, inside' },
  { name: 'env', short: 'e', value: 'NAME=VALUE', repeats: true, about: 'a further variable of its environment' },
  { name: 'tty', short: 't', about: 'give it a terminal' },
  { name: 'user', short: 'u', value: 'UID[:GID]', about: 'as whom it runs' },
  { name: 'additional-gids', short: 'g', value: 'GID', repeats: true, about: 'a further group of it' },
  {
    name: 'process',
    short: 'p',
    value: 'FILE',
    emptyIsAbsent: true,
    path: 'file',
    about: 'what runs and how: the object `process` of a config, in place of a command',
  },
  detach,
  pidFile,
  jsonStatusFd,
  { name: 'process-label', value: 'LABEL', emptyIsAbsent: true, about: 'its SELinux label' },
  { name: 'apparmor', value: 'PROFILE', emptyIsAbsent: true, about: 'its AppArmor profile, which is loaded' },
  { name: 'no-new-privs', about: 'it gains no privileges by running other programs' },
  { name: 'cap', short: 'c', value: 'CAP', repeats: true, about: 'a further capability of it' },
  preserveFds,
  {
    name: 'cgroup',
    value: '[CONTROLLER,…:]PATH',
    repeats: true,
    about: "a cgroup below the container's that it lives in",
  },
  { name: 'ignore-paused', about: 'also in a container that is paused: it starts when that goes on' },
  noSubreaper,
]

/** Of those commands that may be about many containers. */
export const regex: Flag = {
  name: 'regex',
  short: 'r',
  about: 'the operand is a regular expression: all containers whose id it matches',
}

/** A limit; an empty one is none. */
const limit = (name: string, value: string, about: string): Flag => ({ name, value, about, emptyIsAbsent: true })

export const updateFlags: readonly Flag[] = [
  {
    name: 'resources',
    short: 'r',
    value: 'FILE',
    emptyIsAbsent: true,
    path: 'file',
    about:
      'the limits as the object `linux.resources` of a config, - for standard input; all other flags are then ignored',
  },
  { name: 'blkio-weight', value: 'N', about: 'its share of the disks, 10 to 1000' },
  limit('cpu-period', 'MICROSECONDS', 'what --cpu-quota is counted in'),
  limit('cpu-quota', 'MICROSECONDS', 'what it may use of the processors in a period; -1 for no limit'),
  limit('cpu-burst', 'MICROSECONDS', 'what it may save up of its quota'),
  limit('cpu-share', 'N', 'its share of the processors, 2 to 262144'),
  limit('cpu-rt-period', 'MICROSECONDS', 'what --cpu-rt-runtime is counted in'),
  limit('cpu-rt-runtime', 'MICROSECONDS', 'what its real-time programs may use of a period'),
  limit('cpuset-cpus', 'LIST', 'the processors that it may use: 0-3,7'),
  limit('cpuset-mems', 'LIST', 'the memory nodes that it may use'),
  limit('cpu-idle', '0|1', '1: it runs when nobody else wants to'),
  limit('memory', 'BYTES', 'what it may use of memory, with k, m or g; -1 for no limit'),
  limit('memory-reservation', 'BYTES', 'what it keeps when memory is short'),
  limit('memory-swap', 'BYTES', 'what it may use of memory and swap together; -1 for no limit'),
  { name: 'pids-limit', value: 'N', about: 'how many processes it may have; -1 for no limit' },
  limit('l3-cache-schema', 'SCHEMA', 'its part of the L3 cache: L3:0=7f0;1=1f'),
  limit('mem-bw-schema', 'SCHEMA', 'its part of the memory bandwidth: MB:0=20;1=70'),
  { ...limit('kernel-memory', 'BYTES', 'has no effect: the kernel counts it with memory'), internal: true },
  { ...limit('kernel-memory-tcp', 'BYTES', 'has no effect: what TCP keeps is not limited'), internal: true },
]

/** What CRIU is told, of both ways. */
const imageFlags: readonly Flag[] = [
  {
    name: 'image-path',
    value: 'DIR',
    emptyIsAbsent: true,
    path: 'directory',
    about: 'where the image lies (./checkpoint)',
  },
  { name: 'work-path', value: 'DIR', emptyIsAbsent: true, path: 'directory', about: "where CRIU's logs go" },
  { name: 'tcp-established', about: 'open connections, too' },
  { name: 'ext-unix-sk', about: 'sockets to processes outside, too' },
  { name: 'shell-job', about: 'the terminal of a shell, too' },
  { name: 'lazy-pages', about: 'fetch memory when it is touched' },
  { name: 'file-locks', about: 'locks of files, too' },
  {
    name: 'manage-cgroups-mode',
    value: 'MODE',
    emptyIsAbsent: true,
    about: 'what is done about cgroups: soft, full, strict or ignore',
  },
  { name: 'empty-ns', value: 'NAMESPACE', repeats: true, about: 'a namespace that is left empty: network' },
  { name: 'auto-dedup', about: 'drop pages that a parent image has' },
  { name: 'tcp-close', about: 'close open connections' },
  {
    name: 'network-lock',
    value: 'METHOD',
    emptyIsAbsent: true,
    about: 'what keeps packets away meanwhile: iptables, nftables or skip (nftables where CRIU has them)',
  },
]

export const checkpointFlags: readonly Flag[] = [
  ...imageFlags,
  {
    name: 'parent-path',
    value: 'DIR',
    emptyIsAbsent: true,
    path: 'directory',
    about: 'the image before this one, relative to it',
  },
  { name: 'leave-running', about: 'do not end it' },
  { name: 'tcp-skip-in-flight', about: 'leave connections out that are not open yet' },
  { name: 'link-remap', about: 'files that are open and removed, too' },
  { name: 'status-fd', value: 'FD', about: 'tell there when --lazy-pages is ready' },
  { name: 'page-server', value: 'ADDRESS:PORT', emptyIsAbsent: true, about: 'send its memory there' },
  { name: 'pre-dump', about: 'its memory alone, and let it go on' },
  { name: 'json', about: 'tell what it took, as data' },
]

export const restoreFlags: readonly Flag[] = [
  ...imageFlags,
  bundle,
  consoleSocket,
  detach,
  pidFile,
  jsonStatusFd,
  noSubreaper,
  noPivot,
  { name: 'keep', about: 'leave the container when its program has ended' },
  { name: 'lsm-profile', value: 'TYPE:NAME', emptyIsAbsent: true, about: 'another profile of AppArmor or SELinux' },
  { name: 'lsm-mount-context', value: 'CONTEXT', emptyIsAbsent: true, about: 'another context of its mounts' },
]
