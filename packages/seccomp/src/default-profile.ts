import { ENOSYS } from './actions.js'
import { type Arch, companionsOf, ociArch } from './architectures.js'
import type { Profile, SyscallRule } from './profile.js'
import { nativeArch } from './support.js'

/*
 * What a program in a container may call. The kernel's own checks stand behind this list; what is left out of it is what
 * reaches past namespaces, is seldom used, or has had holes: mounting, namespaces, modules, kexec, keyrings, BPF,
 * io_uring, userfaultfd, performance counters, the clock, swap, quotas. Sorted by what a call is about.
 */
const ALLOWED = {
  files:
    'access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 ' +
    'fadvise64 fadvise64_64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync ' +
    'file_getattr file_setattr flock fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futimesat ' +
    'getcwd getdents getdents64 ioctl lchown lchown32 link linkat _llseek lseek lstat lstat64 mkdir mkdirat mknod mknodat ' +
    'name_to_handle_at newfstatat open openat openat2 readlink readlinkat rename renameat renameat2 rmdir stat stat64 ' +
    'statfs statfs64 statx symlink symlinkat sync sync_file_range sync_file_range2 syncfs truncate truncate64 umask unlink ' +
    'unlinkat utime utimensat utimensat_time64 utimes listmount statmount',
  attributes:
    'fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr listxattrat llistxattr ' +
    'lremovexattr lsetxattr removexattr removexattrat setxattr setxattrat',
  transfer:
    'pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readv sendfile sendfile64 splice tee vmsplice write ' +
    'writev io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit',
  waiting:
    'epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd ' +
    'eventfd2 fanotify_mark inotify_add_watch inotify_init inotify_init1 inotify_rm_watch _newselect poll ppoll ' +
    'ppoll_time64 pselect6 pselect6_time64 select',
  memory:
    'brk cachestat madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2 ' +
    'mprotect mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect remap_file_pages',
  processes:
    'execve execveat exit exit_group fork getpgid getpgrp getpid getppid getsid gettid kill pidfd_open ' +
    'pidfd_send_signal process_mrelease process_vm_readv process_vm_writev ptrace setpgid setsid tgkill tkill vfork wait4 ' +
    'waitid waitpid',
  threads:
    'futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake get_robust_list get_thread_area restart_syscall ' +
    'rseq rseq_slice_yield set_robust_list set_thread_area set_tid_address uprobe uretprobe',
  signals:
    'pause rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait ' +
    'rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack signalfd signalfd4 sigprocmask sigreturn',
  users:
    'capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid getresgid32 ' +
    'getresuid getresuid32 getuid getuid32 setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 ' +
    'setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setuid setuid32',
  limits:
    'getcpu getpriority getrlimit getrusage ioprio_get ioprio_set prctl prlimit64 sched_get_priority_max ' +
    'sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval ' +
    'sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield ' +
    'setpriority setrlimit sysinfo times ugetrlimit uname',
  sandboxes:
    'landlock_add_rule landlock_create_ruleset landlock_restrict_self lsm_get_self_attr lsm_list_modules seccomp',
  sockets:
    'accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmmsg_time64 recvmsg ' +
    'send sendmmsg sendmsg sendto setsockopt shutdown socketcall socketpair pipe pipe2',
  messages:
    'ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink ' +
    'msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget',
  time:
    'adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 ' +
    'clock_nanosleep clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer time timer_create timer_delete ' +
    'timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime ' +
    'timerfd_gettime64 timerfd_settime timerfd_settime64',
  random: 'getrandom',
}

/** Calls of one family of machines, which runtimes, linkers and thread libraries need there. */
const ALLOWED_ON: Partial<Record<Arch, string>> = {
  x86_64: 'arch_prctl modify_ldt',
  arm: 'arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush get_tls set_tls',
  x86: 'arch_prctl modify_ldt',
  riscv64: 'riscv_flush_icache riscv_hwprobe',
  s390x: 's390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr',
  ppc64le: 'switch_endian swapcontext',
  ppc64: 'switch_endian swapcontext',
  mips64: 'cacheflush cachectl sysmips',
  mipsel64: 'cacheflush cachectl sysmips',
}

/** What a capability is for, and so opens here too: the kernel asks for it in each of these calls. */
const WITH_CAPABILITY: Readonly<Record<string, string>> = {
  CAP_BPF: 'bpf',
  CAP_DAC_READ_SEARCH: 'open_by_handle_at',
  CAP_PERFMON: 'perf_event_open',
  CAP_SYS_ADMIN:
    'bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick listns lookup_dcookie lsm_set_self_attr mount ' +
    'mount_setattr move_mount open_tree open_tree_attr perf_event_open quotactl quotactl_fd setdomainname sethostname ' +
    'setns syslog umount umount2 unshare',
  CAP_SYS_BOOT: 'reboot',
  CAP_SYS_CHROOT: 'chroot',
  CAP_SYS_MODULE: 'delete_module finit_module init_module',
  CAP_SYS_NICE: 'get_mempolicy mbind set_mempolicy set_mempolicy_home_node',
  CAP_SYS_PACCT: 'acct',
  CAP_SYS_PTRACE: 'kcmp pidfd_getfd process_madvise',
  CAP_SYS_RAWIO: 'ioperm iopl',
  CAP_SYS_TIME: 'clock_settime clock_settime64 settimeofday stime',
  CAP_SYS_TTY_CONFIG: 'vhangup',
  CAP_SYSLOG: 'syslog',
}

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET; clone(2) has no bit for NEWTIME. */
const NEW_NAMESPACES = 0x7e020000

/** PER_LINUX, PER_LINUX32, both with UNAME26, and the question that changes nothing: linux/personality.h. */
const PERSONALITIES = [0, 8, 0x20000, 0x20008, 0xffffffff]

const AF_VSOCK = 40

export interface DefaultProfileOptions {
  /** The capabilities that the program may have, such as `CAP_SYS_ADMIN`: they open the calls that are for them. */
  capabilities?: Iterable<string> | undefined
  /** The architecture of the kernel. Default: this machine's. */
  arch?: Arch | undefined
}

/**
 * The profile for a container that asks for none: a list of what is allowed, and EPERM for everything else.
 *
 * clone3(2) answers ENOSYS, since its flags lie in memory where no filter can look: libc then uses clone(2).
 */
export function defaultProfile({ capabilities = [], arch = nativeArch() }: DefaultProfileOptions = {}): Profile {
  const held = new Set(capabilities)
  // Not x32: few kernels have it, and hardly any program needs it.
  const archs = [arch, ...companionsOf(arch)]
  const rules: SyscallRule[] = [
    allow(Object.values(ALLOWED).flatMap(words)),
    { ...allow(['socket']), args: [{ index: 0, value: AF_VSOCK, op: 'SCMP_CMP_NE' }] },
    {
      ...allow(['personality']),
      args: PERSONALITIES.map(value => ({ index: 0, value, op: 'SCMP_CMP_EQ' })),
    },
  ]
  const own = new Set(archs.flatMap(one => words(ALLOWED_ON[one] ?? '')))
  if (own.size > 0) rules.push(allow([...own]))
  for (const [capability, calls] of Object.entries(WITH_CAPABILITY)) {
    if (held.has(capability)) rules.push(allow(words(calls)))
  }
  if (!held.has('CAP_SYS_ADMIN')) rules.push(...cloneWithoutNamespaces(arch))
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    architectures: archs.map(ociArch),
    syscalls: rules,
  }
}

function cloneWithoutNamespaces(arch: Arch): SyscallRule[] {
  // On s390 the stack comes first: clone(2), "C library/kernel differences".
  const index = arch === 's390x' || arch === 's390' ? 1 : 0
  return [
    { ...allow(['clone']), args: [{ index, value: NEW_NAMESPACES, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }] },
    { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
  ]
}

function allow(names: readonly string[]): SyscallRule {
  return { names, action: 'SCMP_ACT_ALLOW' }
}

function words(text: string): string[] {
  return text === '' ? [] : text.split(' ')
}
