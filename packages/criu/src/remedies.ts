/** Causes that CRIU tells of, each with the first thing to do about it; the first that fits counts. */
const remedies: readonly (readonly [RegExp, string])[] = [
  [/No space left on device/, 'the disk of the images is full: make room, or choose another directory'],
  [/Read-only file system/, 'the directory of the images cannot be written to: choose another'],
  [/Connected TCP socket/, 'established connections are dumped with tcpEstablished, or closed with tcpClose'],
  [/In-flight connection/, 'connections that are being made are left out with tcpSkipInFlight'],
  [
    /--shell-job|session leader|dangling tty|tty peer .* is not found/i,
    'the terminal or session belongs to a process outside: shellJob: true',
  ],
  [
    /external socket is used|External socket|Can't dump half of stream unix connection/i,
    'a UNIX socket has its other end outside: extUnixSk: true',
  ],
  [/Some file locks are hold|file locks are hold/i, 'the processes hold file locks: fileLocks: true'],
  [
    /Can't create link remap|Can't dump ghost file|link-remap/i,
    'an open file has no name any more: linkRemap: true, or a larger ghostLimit',
  ],
  [
    /Abort restore of existing cgroups/,
    'manageCgroupsMode: strict takes no cgroup that is there already, and that of a container is: soft, or full',
  ],
  [
    /doesn't have a proper root mount|unreachable sharing|unsupported fs|FS mnt .* dev .* root .* unsupported|isn't supported/i,
    'a mount comes from outside: name it in external, or extMnt',
  ],
  [
    /Can't resolve external mount|No mapping for .* mountpoint|external mount/i,
    'the dump has mounts from outside: give the same keys in external, or extMnt',
  ],
  [
    /Pid \d+ do not match expected|Can't fork for \d+: File exists|pid \d+ (is )?busy/i,
    'a process has this pid already: restore into a pid namespace, or end that process',
  ],
  [
    /has bad size|Can't open file .* on restore|File .* has bad/i,
    'a file that was open has changed since, or is not there',
  ],
  [
    /Magic doesn't match|Unexpected EOF|Read \d+ bytes while \d+ expected|Can't open image|No entry for .*-file-ID|Can't read image|unpack|is not readable|Corrupted/i,
    'the images are damaged, or not all of them are there: take an earlier dump',
  ],
  [
    /seccomp/i,
    'CRIU takes filters of seccomp on kernels that have seccomp_suspend: criu check --feature seccomp_suspend',
  ],
  [/userfaultfd|uffd/i, 'pages on demand need userfaultfd of the kernel: criu check --feature uffd'],
  [/connect to (page )?server|Can't connect|Connection refused/i, 'the page server does not listen there'],
  [/nftables|nft /i, 'networkLock: nftables needs libnftables and the kernel’s nf_tables'],
  [
    /iptables-restore|ip6tables-restore|Can't lock network|iptables/i,
    'the network is locked by iptables: install it, or say networkLock: nftables',
  ],
  [/Could not initialize kernel features detection|kerndat/i, 'CRIU does not work on this kernel: criu check says why'],
  [
    /Operation not permitted|Permission denied|CAP_/i,
    'it needs root, or CAP_CHECKPOINT_RESTORE with what else the processes have',
  ],
]

/** What helps first against a failure with these lines in its log; `undefined` where nothing is known. Pure. */
export function remedyOf(lines: readonly string[]): string | undefined {
  return remedies.find(([pattern]) => lines.some(line => pattern.test(line)))?.[1]
}
