export const general = `NAME
    namespaces - a look at the namespaces of this host, and programs in others

SYNOPSIS
    namespaces list [OPTION]...
    namespaces enter [OPTION]... [--] COMMAND [ARG]...
    namespaces unshare [OPTION]... [--] COMMAND [ARG]...
    namespaces pin [--target PID] --kind KIND PATH
    namespaces unpin PATH...
    namespaces help [COMMAND]
    namespaces --version

COMMANDS
    list       shows all namespaces: who is in them, who made them, where they are pinned
    enter      runs a command in namespaces that exist
    unshare    runs a command in new ones
    pin        keeps one by a mount on a file
    unpin      releases such

    KIND is one of user, ipc, uts, net, pid, mnt, cgroup, time.
`

export const ofList = `NAME
    namespaces list - shows the namespaces of this host

SYNOPSIS
    namespaces list [OPTION]...

DESCRIPTION
    Those that processes are in, and those that a mount keeps. Of other users' processes root alone is told.

    KIND     of namespace
    NS       its number, as in /proc/PID/ns
    PROCS    processes in it
    PID      the lowest of them, and UID whose it is
    OWNER    the user that has made the user namespace which it belongs to
    COMMAND  of that process; or the paths where it is pinned

OPTIONS
    -k, --kind KIND    this kind alone; again for more of them
    --json             a list of objects, with the numbers of the parent and of the owning user namespace
`

const common = `    --as UID[:GID]        who it runs as, by ids inside. Default: root of the user namespace; without one, as you are
    --cwd DIR             its working directory
`

const ends = `    SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1 and SIGUSR2 are handed on to it. The exit code is the command's; 128 and the number of the signal that has
    ended it; 127 when there is no such command, 126 when it cannot be executed, 125 when something else failed.
`

export const ofEnter = `NAME
    namespaces enter - runs a command in namespaces that exist

SYNOPSIS
    namespaces enter --target PID [--kind KIND]... [OPTION]... [--] COMMAND [ARG]...
    namespaces enter --KIND PATH... [OPTION]... [--] COMMAND [ARG]...

DESCRIPTION
    Those of a process, or those of files such as /run/netns/blue. All of them are joined, or none.

${ends}
OPTIONS
    -t, --target PID      the process. Default of --kind: all in which it differs from this one
    -k, --kind KIND       joins this one alone; again for more of them
    --KIND PATH           a file of a namespace of that kind, instead of a process: --net /run/netns/blue
${common}`

export const ofUnshare = `NAME
    namespaces unshare - runs a command in new namespaces

SYNOPSIS
    namespaces unshare [--KIND]... [OPTION]... [--] COMMAND [ARG]...

DESCRIPTION
    With --pid the command is the first process, with whose end all others in there end. An ordinary user gets a user namespace, too, and is root in it.

${ends}
OPTIONS
    --KIND                a new namespace of that kind; --all makes all eight
    --proc                mounts /proc anew, with --pid and --mnt
    --propagation WORD    of mounts with --mnt: private, slave, shared, unbindable, unchanged. Default: private
    --uid-map IN:OUT:N    ids of the user namespace: N from IN on inside are those from OUT on outside; again for more of them
    --gid-map IN:OUT:N    the same of groups
    --boottime SECONDS    what this clock of a time namespace is ahead; negative for behind
    --monotonic SECONDS   the same of the other clock
${common}`

export const ofPin = `NAME
    namespaces pin, namespaces unpin - keep a namespace by a mount on a file, and release it

SYNOPSIS
    namespaces pin [--target PID] --kind KIND PATH
    namespaces unpin PATH...

DESCRIPTION
    The file is made, in a directory that is there. The namespace lives on without a process in it, until it is released, and can be entered by PATH:
    with /run/netns/NAME by ip-netns(8), too.

OPTIONS
    -t, --target PID  a process in it. Default: this one
    -k, --kind KIND   which of its namespaces
`
