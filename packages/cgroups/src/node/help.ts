export const general = `NAME
    cgroups - limits for a command, and a look at what runs

SYNOPSIS
    cgroups run [OPTION]... [--] COMMAND [ARG]...
    cgroups top [OPTION]... [PATH]
    cgroups help [run|top]
    cgroups --version

COMMANDS
    run    runs a command in a cgroup of its own; both end together, with all that the command has started
    top    shows what the cgroups of a tree use: processors, memory against its limit, processes, disks, pressure, OOM kills
`

export const ofRun = `NAME
    cgroups run - runs a command with limits

SYNOPSIS
    cgroups run [OPTION]... [--] COMMAND [ARG]...

DESCRIPTION
    The command is in its cgroup before its first instruction, and so is all that it starts. When it ends, what it has left running is
    killed, and the cgroup removed. SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1 and SIGUSR2 are handed on to it.

    It needs root; or cgroup v2 and a subtree that was given to the user: systemd-run --user --scope -p Delegate=yes

OPTIONS
    --memory SIZE        memory.max: 64M, 1.5G
    --memory-high SIZE   memory.high: above it the command is slowed, not killed (v2)
    --swap SIZE          swap besides memory (v2)
    --pids N             processes and threads
    --cpus N             processors' worth of time: 2, 0.5
    --cpu-weight N       share of the processors when others want them too: 1 to 10000, 100 is the usual
    --cpuset LIST        the processors: 0-3,7
    --io-weight N        share of the disks: 1 to 10000
    --set FILE=VALUE     any file of v2: memory.oom.group=1; may be said more than once
    --timeout TIME       ends it after this time: 500ms, 2s, 5m; a second later by force
    --kill-signal NAME   what ends it then first. Default: SIGTERM
    --path PATH          where the cgroup is to be. Default: below or beside that of this process
    --leaf               in a container, or where else all that was given is the cgroup that this runs in: moves what is in it into
                         a cgroup below it first, since one that holds processes hands no controllers on (v2)
    --optional           runs it without limits where they cannot be set, and says so
    --json               tells on standard error how it ended and what it has used, as one line of JSON
    -q, --quiet          does not tell of OOM, refused forks and time-out

EXIT STATUS
    That of the command; 128 and the number of a signal that has ended it.
    124    it was ended by --timeout
    125    it was not run: the limits cannot be set
    126    it cannot be executed
    127    there is no such command

EXAMPLES
    cgroups run --memory 64M --pids 20 -- node worker.js
    cgroups run --cpus 0.5 --timeout 2m --json make
`

export const ofTop = `NAME
    cgroups top - shows what the cgroups of a tree use

SYNOPSIS
    cgroups top [OPTION]... [PATH]

DESCRIPTION
    PATH is a cgroup, such as /system.slice, or its directory. Default: all. Each line has what is below the cgroup, too.

    CPU%         of one processor
    MEMORY       against memory.max, where there is one
    PIDS         processes and threads, and how many there may be
    READ/s       from disks, and WRITE/s to them
    PSI c/m/i    percents of the last ten seconds in which a process waited for processors, memory, disks
    OOM          processes that the kernel has killed for want of memory

    A number that this host does not count is shown as -. In a terminal: c, m, p, i, s, o, n sort; a shows empty cgroups; q ends.

OPTIONS
    -i, --interval TIME  between two looks: 500ms, 2s. Default: 2s, with --once 500ms
    -s, --sort KEY       cpu, memory, pids, io, pressure, oom or path. Default: cpu
    -d, --depth N        levels below PATH. Default: all
    -a, --all            cgroups in which nothing runs, too
    -1, --once           one table, and ends
    --json               an object a line for each look: { time, cgroups: [{ path, cpu, memory, memoryMax, pids, … }] }

ENVIRONMENT
    NO_COLOR             when it is not empty, no colours. Without a terminal there are none
`
