export const general = `NAME
    netlink - links, addresses, routes and network namespaces

SYNOPSIS
    netlink link [OPTION]... [NAME]
    netlink addr [OPTION]... [LINK]
    netlink route [get ADDRESS] [OPTION]...
    netlink monitor [OPTION]... [TOPIC]...
    netlink netns [list|add|delete|attach|id|exec] ...
    netlink help [COMMAND]
    netlink --version

COMMANDS
    link       shows links: their kind, state, MTU, address, master, and what
               they have counted
    addr       shows addresses of links
    route      shows routes
    monitor    tells what changes, as it changes
    netns      shows network namespaces by name, makes and deletes them, and
               runs a command in one

OPTIONS of all that look
    -n, --netns NAME     in the network namespace of that name, or at that path:
                         blue, /run/netns/blue, /proc/42/ns/net
    -t, --target PID     in that of a process
    -j, --json           objects for programs instead of a table for people

EXIT STATUS
    0, or 125 when something failed; of netns exec that of the command
`

const place = `    -n, --netns NAME     in the network namespace of that name, or at that path
    -t, --target PID     in that of a process
    -j, --json           a list of objects, with all that the kernel tells
`

const family = `    -4, -6               of IPv4, of IPv6; or --family inet, --family inet6
`

export const ofLink = `NAME
    netlink link - shows links

SYNOPSIS
    netlink link [OPTION]... [NAME]

DESCRIPTION
    INDEX    its number in the network namespace
    KIND     veth, bridge, vlan, …; that of a device which is no software alone
             is its type of hardware
    STATE    operational: up, down, lowerlayerdown, …, unknown where the driver
             does not tell
    LOWER    the link that it is on top of, or the other end; @if5 for number 5
             of another namespace
    MASTER   the bridge, bond or VRF that it is a port of

    NAME is its name, or one of its alternative names.

OPTIONS
    --type KIND          of this kind alone
    --master NAME        ports of this link alone
    --up, --down         that are set up, or down, alone
    -s, --stats          what they have received and sent, too
${place}
EXAMPLES
    netlink link --type bridge
    netlink link --netns blue --json
`

export const ofAddr = `NAME
    netlink addr - shows addresses

SYNOPSIS
    netlink addr [OPTION]... [LINK]

DESCRIPTION
    VALID and PREFERRED are the seconds that are left, where they are not
    forever.

OPTIONS
    --dev LINK           of this link alone
    --scope WORD         global, site, link, host, or a number
${family}${place}`

export const ofRoute = `NAME
    netlink route - shows routes

SYNOPSIS
    netlink route [OPTION]...
    netlink route get [OPTION]... ADDRESS

DESCRIPTION
    The table main, of IPv4 and IPv6. A route of several ways has a line for
    each.
    get shows the way that a packet to an address takes.

OPTIONS
    --table TABLE        main, local, default, a number, or all
    --dev LINK           by this link alone
    --protocol WORD      that were made by: kernel, boot, static, ra, dhcp,
                         bird, zebra, bgp, …, or a number
    --type WORD          unicast, local, broadcast, blackhole, unreachable,
                         prohibit, …
${family}${place}`

export const ofMonitor = `NAME
    netlink monitor - tells what changes

SYNOPSIS
    netlink monitor [OPTION]... [TOPIC]...

DESCRIPTION
    A line for each change, until it is interrupted: + for what was made or
    changed, - for what is gone. TOPIC is one of link, addr, route, rule, neigh,
    fdb, nexthop; again for more of them. Default: all.
    Where the kernel had more to tell than there was room for, a line with !
    says so, and what is there then follows, each with =.

OPTIONS
    -n, --netns NAME     in the network namespace of that name, or at that path
    -t, --target PID     in that of a process
    -j, --json           an object a line
`

export const ofNetns = `NAME
    netlink netns - network namespaces by name

SYNOPSIS
    netlink netns [list] [--json]
    netlink netns add NAME...
    netlink netns delete NAME...
    netlink netns attach NAME PID
    netlink netns id NAME [NUMBER|auto]
    netlink netns exec NAME [--] COMMAND [ARG]...

DESCRIPTION
    Names are files of /run/netns, as ip-netns(8) has them: what one of the two
    programs makes the other sees.

    list     the names, the number of the namespace as in net:[NUMBER], and the
             id that it has here
    add      makes namespaces, in which there is a loopback device that is down
    delete   takes names away; a namespace ends when nothing else keeps it
    attach   gives the namespace of a process a name
    id       shows the id of a namespace, or gives it one
    exec     runs a command in one, or in that at a path, in place of this
             program. Mounts stay as they are: /sys with the cgroups, too. Where
             there is a directory /etc/netns/NAME, its files are seen in place
             of those of /etc, such as resolv.conf

    delete, attach and exec refuse what is not there with a name that may have
    been meant.

EXIT STATUS
    Of exec that of the command; 127 when there is no such command, 126 when it
    cannot be executed, 125 when something else failed.
`
