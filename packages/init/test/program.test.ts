import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { initSources, musl, warnings } from '../../../scripts/build-init.mjs'
import { requires, temporaryDirectory } from '../../../test/support/index.js'

const program = fileURLToPath(new URL(`../prebuilds/linux-${process.arch}/init`, import.meta.url))

/**
 * All that init may import from its C library. Each is a system call, or touches memory and nothing else: no allocation, no stdio, no
 * locale, no threads, no getenv. (`__errno_location` is where a system call leaves its errno.)
 */
const allowed = new Set(
  `__errno_location _exit accept4 bind chdir chroot clock_gettime close connect dup dup2 environ fchmodat getrlimit pthread_sigmask setrlimit sigfillset signal socketpair dup3 eventfd execve exit faccessat fchdir fchmod fchown fchownat fcntl
   fgetxattr flistxattr fsetxattr futimens fstat fstatat fstatfs fsync getdents64 getegid geteuid getgid getpid getsockopt getuid getxattr inotify_add_watch inotify_init1 inotify_rm_watch ioctl kill
   listen lseek madvise memchr memcmp memcpy memmove memset mkdirat mknodat mmap mount munmap nanosleep open openat pipe2 poll prctl pread pwrite read
   readlink readlinkat recv recvmsg renameat rmdir sched_setaffinity send sendfile sendmsg setdomainname setgroups sethostname setns setsid setsockopt sigaddset
   sigemptyset signalfd socket stat statfs strchr strcmp strcpy strcspn strlen strncmp strncpy strnlen strpbrk strrchr strspn symlinkat syscall
   tcgetattr tcsetattr umask umount2 unlinkat unshare waitid waitpid write writev`.split(/\s+/),
)

test('init is at most 100 kB, static and for this machine', () => {
  expect(statSync(program).size).toBeLessThanOrEqual(100_000)
  const elf = readFileSync(program)
  expect(elf.subarray(0, 4).toString('latin1')).toBe('\x7fELF')
  const sections = spawnSync('readelf', ['-ld', program], { encoding: 'utf8' }).stdout
  expect(sections).not.toMatch(/INTERP|NEEDED/)
})

test('init imports what the list allows and nothing else: no malloc, no stdio', {
  ...requires('program:musl-gcc', 'program:nm'),
  timeout: 120_000,
}, () => {
  using directory = temporaryDirectory('init-symbols-')
  const compile = spawnSync(
    'musl-gcc',
    [
      ...musl,
      '-std=gnu11',
      '-D_GNU_SOURCE',
      '-DLC_INIT',
      '-Os',
      ...warnings,
      '-r',
      '-nostdlib',
      '-o',
      `${directory.path}/init.o`,
      ...initSources(),
    ],
    { encoding: 'utf8' },
  )
  expect(compile.stderr).toBe('')
  const { stdout } = spawnSync('nm', ['-u', `${directory.path}/init.o`], { encoding: 'utf8' })
  const imported = stdout.split('\n').flatMap(line => /^\s+U (\S+)/.exec(line)?.[1] ?? [])
  expect(imported.length).toBeGreaterThan(20)
  expect(imported.filter(name => !allowed.has(name) && name !== '_GLOBAL_OFFSET_TABLE_')).toEqual([])
})

test('FA-15 CL-19 S7 init started by hand says so and ends', () => {
  for (const args of [[], ['3'], ['nonsense'], ['99999999999']]) {
    const run = spawnSync(program, args, { encoding: 'utf8', timeout: 5000 })
    expect(run.status).toBe(1)
    expect(run.stderr).toBe('init: this program starts containers and is not for use by hand\n')
  }
})
