/* SPDX-License-Identifier: Apache-2.0 */
/* The attributes of a process, set on the process itself. */
#include "init.h"

#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../sys/native/path.h"

static int64_t op_set_session(struct lc_ctx *c, const union lc_arg *a)
{
	/* EPERM: a leader already, which is what is wanted. */
	return setsid() < 0 && errno != EPERM ? lc_fail(c, "setsid") : 0;
}

/* setDumpable(0 or 1): 1 only while an ordinary user's parent has to write the id maps through our /proc files. */
static int64_t op_set_dumpable(struct lc_ctx *c, const union lc_arg *a)
{
	return prctl(PR_SET_DUMPABLE, a[0].i) < 0 ? lc_fail(c, "prctl(PR_SET_DUMPABLE)") : 0;
}

/*
 * setParentDeathSignal(signal, pidfd of the parent): a change of ids clears it, so this comes after the last one. Then a look at
 * the parent itself: one that ended before will send no signal, and getppid() is 0 across pid namespaces.
 */
static int64_t op_set_parent_death_signal(struct lc_ctx *c, const union lc_arg *a)
{
	struct pollfd parent = { .fd = (int)a[1].i, .events = POLLIN };

	if (prctl(PR_SET_PDEATHSIG, a[0].i) < 0)
		return lc_fail(c, "prctl(PR_SET_PDEATHSIG)");
	if (poll(&parent, 1, 0) < 0)
		return lc_fail(c, "poll");
	return parent.revents & POLLIN ? lc_refuse(c, "poll (the parent has ended)", ESRCH) : 0;
}

static int64_t op_set_hostname(struct lc_ctx *c, const union lc_arg *a)
{
	return sethostname(a[0].s, strlen(a[0].s)) < 0 ? lc_fail(c, "sethostname") : 0;
}

static int64_t op_set_domainname(struct lc_ctx *c, const union lc_arg *a)
{
	return setdomainname(a[0].s, strlen(a[0].s)) < 0 ? lc_fail(c, "setdomainname") : 0;
}

static int64_t write_proc(struct lc_ctx *c, const char *path, const char *value)
{
	int proc = lc_open_proc(c);
	int file;
	int64_t result = 0;

	if (proc < 0)
		return proc;
	file = lc_open_in_proc(c, proc, path, O_WRONLY);
	close(proc);
	if (file < 0)
		return file;
	if (write(file, value, strlen(value)) < 0)
		result = lc_fail(c, "write");
	close(file);
	return result;
}

static int64_t write_below(struct lc_ctx *c, const char *prefix, const char *name, const char *value)
{
	char path[512];
	size_t before = strlen(prefix), length = strlen(name);

	if (before + length >= sizeof(path))
		return lc_refuse(c, "open", ENAMETOOLONG);
	memcpy(path, prefix, before);
	memcpy(path + before, name, length + 1);
	return write_proc(c, path, value);
}

/* writeSysctl(path below /proc/sys, value): through a procfs that no mount of the container can fake. */
static int64_t op_write_sysctl(struct lc_ctx *c, const union lc_arg *a)
{
	return write_below(c, "sys/", a[0].s, a[1].s);
}

/* writeOwnProc(file, value): of /proc/self */
static int64_t op_write_own_proc(struct lc_ctx *c, const union lc_arg *a)
{
	return write_below(c, "self/", a[0].s, a[1].s);
}

/* setResourceLimit(resource, soft, hard): each a u64, RLIM_INFINITY all ones. */
static int64_t op_set_resource_limit(struct lc_ctx *c, const union lc_arg *a)
{
	uint64_t limit[2] = { (uint64_t)a[1].i, (uint64_t)a[2].i };

	return syscall(SYS_prlimit64, 0, (int)a[0].i, limit, NULL) < 0 ? lc_fail(c, "prlimit64") : 0;
}

/* setSoftLimit(resource, soft): lowered to the hard limit where that is below. */
static int64_t op_set_soft_limit(struct lc_ctx *c, const union lc_arg *a)
{
	uint64_t limit[2];

	if (syscall(SYS_prlimit64, 0, (int)a[0].i, NULL, limit) < 0)
		return lc_fail(c, "prlimit64");
	limit[0] = (uint64_t)a[1].i < limit[1] ? (uint64_t)a[1].i : limit[1];
	return syscall(SYS_prlimit64, 0, (int)a[0].i, limit, NULL) < 0 ? lc_fail(c, "prlimit64") : 0;
}

/* resetAffinity(): all CPUs that the cpuset allows, whatever the host's thread was bound to. */
static int64_t op_reset_affinity(struct lc_ctx *c, const union lc_arg *a)
{
	uint64_t all[128];

	memset(all, 0xff, sizeof(all));
	return syscall(SYS_sched_setaffinity, 0, sizeof(all), all) < 0 ? lc_fail(c, "sched_setaffinity") : 0;
}

/* setAffinity(mask): the processors whose bits are set, those that the cpuset allows among them. */
static int64_t op_set_affinity(struct lc_ctx *c, const union lc_arg *a)
{
	return syscall(SYS_sched_setaffinity, 0, a[0].b.size, a[0].b.at) < 0 ? lc_fail(c, "sched_setaffinity") : 0;
}

/*
 * setScheduler(policy, flags, nice, priority, runtime, deadline, period, util_min | util_max << 16): the times in nanoseconds. Kernels before
 * 5.3 know no clamps, and take a longer structure whose end is 0.
 */
static int64_t op_set_scheduler(struct lc_ctx *c, const union lc_arg *a)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
		uint32_t util_min, util_max;
	} attributes = {
		.size = sizeof(attributes),
		.policy = (uint32_t)a[0].i, .flags = (uint64_t)a[1].i, .nice = (int32_t)a[2].i, .priority = (uint32_t)a[3].i,
		.runtime = (uint64_t)a[4].i, .deadline = (uint64_t)a[5].i, .period = (uint64_t)a[6].i,
		.util_min = (uint32_t)a[7].i & 0xffff, .util_max = (uint32_t)a[7].i >> 16,
	};

	return syscall(SYS_sched_setattr, 0, &attributes, 0) < 0 ? lc_fail(c, "sched_setattr") : 0;
}

/* setIoPriority(class << 13 | level): of the process group, which a new session is. */
static int64_t op_set_io_priority(struct lc_ctx *c, const union lc_arg *a)
{
	return syscall(SYS_ioprio_set, 2 /* IOPRIO_WHO_PGRP */, 0, (int)a[0].i) < 0 ? lc_fail(c, "ioprio_set") : 0;
}

static int64_t op_set_personality(struct lc_ctx *c, const union lc_arg *a)
{
	return syscall(SYS_personality, (unsigned long)a[0].i) < 0 ? lc_fail(c, "personality") : 0;
}

/* setMemoryPolicy(mode | flags, mask of nodes): maxnode counts one more than the bits, and 0 with no mask. */
static int64_t op_set_memory_policy(struct lc_ctx *c, const union lc_arg *a)
{
	size_t bits = a[1].b.size * 8;

	return syscall(SYS_set_mempolicy, (int)a[0].i, bits ? a[1].b.at : NULL, bits ? bits + 1 : 0) < 0 ?
		       lc_fail(c, "set_mempolicy") : 0;
}

/*
 * coreScheduling(pid): no core runs others at one time with what this process and its children run: PR_SCHED_CORE of prctl(2). With a pid
 * it belongs to those of that process; 0 makes a new cookie.
 */
static int64_t op_core_scheduling(struct lc_ctx *c, const union lc_arg *a)
{
	/* Linux 5.14: CREATE of the thread group, or SHARE_FROM a thread. */
	int64_t result = a[0].i ? prctl(62 /* PR_SCHED_CORE */, 3, (unsigned long)a[0].i, 0, 0) : prctl(62, 1, 0, 1, 0);

	return result < 0 ? lc_fail(c, "prctl(PR_SCHED_CORE)") : 0;
}

static int64_t op_set_umask(struct lc_ctx *c, const union lc_arg *a)
{
	umask((mode_t)a[0].i);
	return 0;
}

static int64_t op_set_no_new_privileges(struct lc_ctx *c, const union lc_arg *a)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? lc_fail(c, "prctl(PR_SET_NO_NEW_PRIVS)") : 0;
}

/* makeWorkingDirectory(path): with its missing parents, 0755; beneath the root of this process. */
static int64_t op_make_working_directory(struct lc_ctx *c, const union lc_arg *a)
{
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd;

	if (root < 0)
		return lc_fail(c, "open");
	fd = lc_mkdir_in_root(c, root, a[0].s, 0755);
	close(root);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/*
 * changeDirectory(path). Then the kernel's own idea of where we are: "(unreachable)…" or a path that is not absolute means that a
 * descriptor from outside was used to get out of the root (CVE-2024-21626).
 */
static int64_t op_change_directory(struct lc_ctx *c, const union lc_arg *a)
{
	char cwd[4096];

	if (chdir(a[0].s) < 0)
		return lc_fail(c, "chdir");
	/* The raw call: libc's would hide the answer that matters. */
	if (syscall(SYS_getcwd, cwd, sizeof(cwd)) < 0)
		return lc_fail(c, "getcwd");
	if (cwd[0] != '/') {
		lc_detail(c, "the working directory lies outside the root of the container");
		return lc_refuse(c, "getcwd", EPERM);
	}
	return 0;
}

/* confirmDirectory(path): we are there already. For a user who may not enter the directory that root has entered for him. */
static int64_t op_confirm_directory(struct lc_ctx *c, const union lc_arg *a)
{
	char cwd[4096];

	if (syscall(SYS_getcwd, cwd, sizeof(cwd)) < 0)
		return lc_fail(c, "getcwd");
	return strcmp(cwd, a[0].s) == 0 ? 0 : lc_refuse(c, "chdir", EACCES);
}

/* setGroups(gids as u32s). */
static int64_t op_set_groups(struct lc_ctx *c, const union lc_arg *a)
{
	return syscall(SYS_setgroups, a[0].b.size / 4, a[0].b.at) < 0 ? lc_fail(c, "setgroups") : 0;
}

/* setUser(uid, gid): all three of each. EINVAL: the id is not mapped in this user namespace. */
static int64_t op_set_user(struct lc_ctx *c, const union lc_arg *a)
{
	gid_t gid = (gid_t)a[1].i;
	uid_t uid = (uid_t)a[0].i;

	if (syscall(SYS_setresgid, gid, gid, gid) < 0)
		return lc_fail(c, "setresgid");
	return syscall(SYS_setresuid, uid, uid, uid) < 0 ? lc_fail(c, "setresuid") : 0;
}

/* ownStdio(uid): gives descriptors 0-2 to the user who will run, but for the null device; EPERM and EROFS are not ours to solve. */
static int64_t op_own_stdio(struct lc_ctx *c, const union lc_arg *a)
{
	for (int fd = 0; fd < 3; fd++) {
		struct stat s;

		if (fstat(fd, &s) < 0) {
			if (errno == EBADF)
				continue;
			return lc_fail(c, "fstat");
		}
		if (s.st_uid == (uid_t)a[0].i || (S_ISCHR(s.st_mode) && s.st_rdev == ((1 << 8) | 3)))
			continue;
		if (fchown(fd, (uid_t)a[0].i, (gid_t)-1) < 0 && errno != EPERM && errno != EROFS && errno != EINVAL)
			return lc_fail(c, "fchown");
	}
	return 0;
}

/* linkUp(name): brings a network interface of this namespace up, as `lo` in a new one. */
static int64_t op_link_up(struct lc_ctx *c, const union lc_arg *a)
{
	struct ifreq request = { 0 };
	int64_t result = 0;
	int fd;

	if (strlen(a[0].s) >= sizeof(request.ifr_name))
		return lc_refuse(c, "ioctl(SIOCGIFFLAGS)", ENAMETOOLONG);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return lc_fail(c, "socket");
	strcpy(request.ifr_name, a[0].s);
	if (ioctl(fd, SIOCGIFFLAGS, &request) < 0) {
		result = lc_fail(c, "ioctl(SIOCGIFFLAGS)");
	} else {
		request.ifr_flags |= IFF_UP;
		if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
			result = lc_fail(c, "ioctl(SIOCSIFFLAGS)");
	}
	close(fd);
	return result;
}

/* openRoot(): an O_PATH descriptor of this process's root directory. */
static int64_t op_open_root(struct lc_ctx *c, const union lc_arg *a)
{
	int64_t fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? lc_fail(c, "open") : fd;
}

/* closeFd(fd): a descriptor that a plan no longer needs. */
static int64_t op_close_fd(struct lc_ctx *c, const union lc_arg *a)
{
	return close((int)a[0].i) < 0 && errno != EINTR ? lc_fail(c, "close") : 0;
}

/* endProcess(): ends a plan that executes no program, all of which has been done. */
static int64_t op_end_process(struct lc_ctx *c, const union lc_arg *a)
{
	syscall(SYS_exit_group, 0);
	return lc_refuse(c, "exit_group", EINVAL);
}

const struct lc_op lc_init_ops[] = {
	{ "setSession", "", op_set_session },
	{ "setDumpable", "i", op_set_dumpable },
	{ "setParentDeathSignal", "ii", op_set_parent_death_signal },
	{ "setHostname", "s", op_set_hostname },
	{ "setDomainname", "s", op_set_domainname },
	{ "writeSysctl", "ss", op_write_sysctl },
	{ "writeOwnProc", "ss", op_write_own_proc },
	{ "setResourceLimit", "iii", op_set_resource_limit },
	{ "setSoftLimit", "ii", op_set_soft_limit },
	{ "resetAffinity", "", op_reset_affinity },
	{ "setAffinity", "b", op_set_affinity },
	{ "setScheduler", "iiiiiiii", op_set_scheduler },
	{ "setIoPriority", "i", op_set_io_priority },
	{ "setPersonality", "i", op_set_personality },
	{ "setMemoryPolicy", "ib", op_set_memory_policy },
	{ "coreScheduling", "i", op_core_scheduling },
	{ "setUmask", "i", op_set_umask },
	{ "setNoNewPrivileges", "", op_set_no_new_privileges },
	{ "makeWorkingDirectory", "s", op_make_working_directory },
	{ "changeDirectory", "s", op_change_directory },
	{ "confirmDirectory", "s", op_confirm_directory },
	{ "setGroups", "b", op_set_groups },
	{ "setUser", "ii", op_set_user },
	{ "ownStdio", "i", op_own_stdio },
	{ "linkUp", "s", op_link_up },
	{ "openRoot", "", op_open_root },
	{ "closeFd", "i", op_close_fd },
	{ "endProcess", "", op_end_process },
	{ 0 },
};
