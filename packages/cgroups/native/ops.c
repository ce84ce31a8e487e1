/* SPDX-License-Identifier: Apache-2.0 */
/* The ops of cgroups: directories, files and processes of mounted hierarchies. Lists are strings one after another, ended by NUL. */
#include "ops.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../sys/native/decimal.h"
#include "directory.h"

static void pause_us(long us)
{
	struct timespec time = { us / 1000000, us % 1000000 * 1000 };

	(void)nanosleep(&time, NULL);
}

/* openCgroup(mount, path, flags): a descriptor that the caller owns. */
static int64_t op_open_cgroup(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_open_cgroup(c, a[0].s, a[1].s, (int)a[2].i & ~(O_CREAT | O_TRUNC));
}

/* writeCgroup(mount, file, lines): a write(2) for each line. The detail names the line that was refused. */
static int64_t op_write_cgroup(struct lc_ctx *c, const union lc_arg *a)
{
	int root = lc_open_hierarchy(c, a[0].s);
	const char *line = a[2].s;
	int fd;

	if (root < 0)
		return root;
	fd = lc_open_beneath(c, root, a[1].s, O_WRONLY);
	close(root);
	if (fd < 0)
		return fd;
	for (;;) {
		size_t size = strcspn(line, "\n");
		/* An empty value is said by a line end: a write of no bytes never reaches the file. */
		ssize_t put = size ? write(fd, line, size) : write(fd, "\n", 1);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0) {
			int64_t result = lc_fail(c, "write");
			size_t shown = size < sizeof(c->detail) ? size : sizeof(c->detail) - 1;

			memcpy(c->detail, line, shown);
			c->detail[shown] = 0;
			close(fd);
			return result;
		}
		line += size;
		if (*line++ == 0)
			break;
	}
	close(fd);
	return 0;
}

static int is_number(const char *text)
{
	return *text != 0 && strspn(text, "0123456789") == strlen(text);
}

/* A limit of memory is rounded down to whole pages, of at most 64 KiB. */
static int is_rounded(const char *shown, const char *value)
{
	uint64_t a = 0, b = 0;

	if (!is_number(shown) || !is_number(value))
		return 0;
	for (; *shown; shown++)
		a = a * 10 + (uint64_t)(*shown - '0');
	for (; *value; value++)
		b = b * 10 + (uint64_t)(*value - '0');
	return a <= b && b - a < 65536;
}

/* confirmCgroup(mount, file, value): EOPNOTSUPP, with what it shows, when the file does not show the value that was written to it. */
static int64_t op_confirm_cgroup(struct lc_ctx *c, const union lc_arg *a)
{
	int fd = lc_open_cgroup(c, a[0].s, a[1].s, O_RDONLY);
	char shown[sizeof(c->detail)];
	int64_t got;

	if (fd < 0)
		return fd;
	got = lc_read_fd(fd, shown, sizeof(shown) - 1);
	close(fd);
	if (got < 0)
		return lc_refuse(c, "read", (int)-got);
	shown[got && shown[got - 1] == '\n' ? got - 1 : got] = 0;
	if (strcmp(shown, a[2].s) == 0 || is_rounded(shown, a[2].s))
		return 0;
	lc_detail(c, shown);
	return lc_refuse(c, "write", EOPNOTSUPP);
}

/* readEvents(fd, buffer): the text of `cgroup.events` from its start. The next poll(2) of the descriptor waits for a change after it. */
static int64_t op_read_events(struct lc_ctx *c, const union lc_arg *a)
{
	ssize_t got = pread((int)a[0].i, a[1].b.at, a[1].b.size, 0);

	return got < 0 ? lc_fail(c, "pread") : got;
}

static int join(struct lc_ctx *c, const char *mount, const char *file, const char *pid, size_t size)
{
	int fd = lc_open_cgroup(c, mount, file, O_WRONLY);
	int result = 0;

	if (fd < 0)
		return fd;
	for (int i = 0; write(fd, pid, size) < 0; i++) {
		result = (int)lc_fail(c, "write");
		/* EINVAL passes: a process that is just being made cannot be moved yet. */
		if (result == -EINVAL && i < 5)
			pause_us(30000);
		else if (result != -EINTR)
			break;
		result = 0;
	}
	close(fd);
	return result;
}

/*
 * joinCgroups(pid, list of mount, file): writes the process into each `cgroup.procs` or `tasks`, back to back: the first write may
 * wait for a grace period of RCU, the next ones ride on it. Pid 0 is the caller; alone in its process it writes 0 to `tasks`,
 * which waits for nothing at all (Linux 5.17).
 */
static int64_t op_join_cgroups(struct lc_ctx *c, const union lc_arg *a)
{
	struct lc_list list = lc_list_of(&a[1].b);
	const char *mount, *file;
	char pid[LC_DECIMAL_SIZE];
	size_t size;

	if (a[0].i < 0)
		return lc_refuse(c, "write", EINVAL);
	size = (size_t)(lc_decimal(pid, (uint64_t)a[0].i) - pid);
	while ((mount = lc_next(&list)) && (file = lc_next(&list))) {
		int result = join(c, mount, file, pid, size);

		if (result < 0) {
			lc_detail(c, mount);
			return result;
		}
	}
	return 0;
}

static int64_t read_one(struct lc_ctx *c, int root, const char *file, uint8_t *to, size_t size)
{
	int fd = lc_open_beneath(c, root, file, O_RDONLY);
	int64_t got;

	if (fd < 0)
		return fd;
	got = lc_read_fd(fd, (char *)to, size);
	close(fd);
	return got;
}

/*
 * readCgroups(list of mount, file; buffer): for each file an i32, its size or -errno, and then its bytes. Answers the
 * bytes used; ERANGE: a larger buffer, please.
 */
static int64_t op_read_cgroups(struct lc_ctx *c, const union lc_arg *a)
{
	struct lc_list list = lc_list_of(&a[0].b);
	struct lc_bytes out = a[1].b;
	const char *mount, *file, *opened = "";
	int root = -ENOENT;
	size_t used = 0;
	int64_t result = 0;

	while (result == 0 && (mount = lc_next(&list)) && (file = lc_next(&list))) {
		int64_t got;
		int32_t size;

		if (strcmp(mount, opened) != 0) {
			if (root >= 0)
				close(root);
			root = lc_open_hierarchy(c, mount);
			opened = mount;
		}
		if (used + sizeof(size) >= out.size) {
			result = lc_refuse(c, "read", ERANGE);
			break;
		}
		got = root < 0 ? root : read_one(c, root, file, out.at + used + sizeof(size), out.size - used - sizeof(size));
		if (got >= 0 && used + sizeof(size) + (size_t)got == out.size)
			result = lc_refuse(c, "read", ERANGE);
		size = (int32_t)got;
		memcpy(out.at + used, &size, sizeof(size));
		used += sizeof(size) + (got > 0 ? (size_t)got : 0);
	}
	if (root >= 0)
		close(root);
	return result < 0 ? result : (int64_t)used;
}

static int open_processes(int dir)
{
	return openat(dir, "cgroup.procs", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

static int64_t visit_processes(struct lc_ctx *c, int dir, void *with)
{
	struct lc_bytes *left = with;
	int fd = open_processes(dir);
	int64_t got;

	if (fd < 0)
		return errno == ENOENT || errno == ENODEV ? 0 : lc_fail(c, "openat");
	got = lc_read_fd(fd, (char *)left->at, left->size);
	close(fd);
	/* A threaded cgroup has no processes of its own, only threads. */
	if (got == -EOPNOTSUPP) {
		fd = openat(dir, "cgroup.threads", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return errno == ENOENT || errno == ENODEV ? 0 : lc_fail(c, "openat");
		got = lc_read_fd(fd, (char *)left->at, left->size);
		close(fd);
	}
	if (got == -ENODEV || got == -ENOENT)
		return 0;
	if (got < 0)
		return lc_refuse(c, "read", (int)-got);
	if ((size_t)got == left->size)
		return lc_refuse(c, "read", ERANGE);
	left->at += got;
	left->size -= (size_t)got;
	return 0;
}

/* listProcesses(mount, path, below, buffer): the pids as lines; with `below` those of all cgroups below too. The bytes used; ERANGE. */
static int64_t op_list_processes(struct lc_ctx *c, const union lc_arg *a)
{
	int dir = lc_open_cgroup(c, a[0].s, a[1].s, O_RDONLY | O_DIRECTORY);
	struct lc_bytes left = a[3].b;
	int64_t result;

	if (dir < 0)
		return dir;
	result = a[2].i ? lc_walk(c, dir, 0, visit_processes, &left) : visit_processes(c, dir, &left);
	close(dir);
	return result < 0 ? result : (int64_t)(a[3].b.size - left.size);
}

struct signalled {
	int signal;
	int count;
};

static int64_t visit_signal(struct lc_ctx *c, int dir, void *with)
{
	struct signalled *to = with;
	int fd = open_processes(dir);
	int64_t pid = 0, got;
	char chunk[512];

	if (fd < 0)
		return errno == ENOENT || errno == ENODEV ? 0 : lc_fail(c, "openat");
	while ((got = read(fd, chunk, sizeof(chunk))) > 0) {
		for (int64_t i = 0; i < got; i++) {
			if (chunk[i] >= '0' && chunk[i] <= '9') {
				pid = pid * 10 + chunk[i] - '0';
				continue;
			}
			/* Pid 0 is a process outside our pid namespace; to kill(2) it would mean our own group. */
			if (pid > 0 && pid != getpid() && kill((pid_t)pid, to->signal) == 0)
				to->count++;
			pid = 0;
		}
	}
	close(fd);
	return 0;
}

/* signalCgroup(mount, path, signal): to every process of the cgroup and of those below, but not to the caller. How many got it. */
static int64_t op_signal_cgroup(struct lc_ctx *c, const union lc_arg *a)
{
	int dir = lc_open_cgroup(c, a[0].s, a[1].s, O_RDONLY | O_DIRECTORY);
	struct signalled to = { (int)a[2].i, 0 };
	int64_t result;

	if (dir < 0)
		return dir;
	result = lc_walk(c, dir, 0, visit_signal, &to);
	close(dir);
	return result < 0 ? result : to.count;
}

static int is_frozen(int dir)
{
	char state[32];
	int fd = openat(dir, "freezer.state", O_RDONLY | O_CLOEXEC);
	int64_t got;

	if (fd < 0)
		return -errno;
	got = lc_read_fd(fd, state, sizeof(state));
	close(fd);
	return got < 0 ? (int)got : got >= 6 && memcmp(state, "FROZEN", 6) == 0;
}

/*
 * freezeCgroup1(mount, path): v1's freezer tells nobody when it is done, and a process that forks meanwhile may stay half frozen
 * until it is thawed and frozen again. EBUSY, and thawed, after about a third of a second.
 */
static int64_t op_freeze_cgroup1(struct lc_ctx *c, const union lc_arg *a)
{
	int dir = lc_open_cgroup(c, a[0].s, a[1].s, O_RDONLY | O_DIRECTORY);
	int result = dir;

	for (int i = 1; i <= 1000 && result >= 0; i++) {
		result = lc_write_value(dir, "freezer.state", "FROZEN", 6);
		if (result == 0)
			result = is_frozen(dir);
		if (result != 0)
			break;
		if (i % 50 == 0) {
			result = lc_write_value(dir, "freezer.state", "THAWED", 6);
			pause_us(10000);
		} else if (i % 25 == 0) {
			pause_us(10);
		}
	}
	if (dir < 0)
		return dir;
	if (result <= 0) {
		(void)lc_write_value(dir, "freezer.state", "THAWED", 6);
		result = (int)lc_refuse(c, "freezer.state", result < 0 ? -result : EBUSY);
	}
	close(dir);
	return result < 0 ? result : 0;
}

const struct lc_op lc_cgroups_ops[] = {
	{ "openCgroup", "ssi", op_open_cgroup },
	{ "makeCgroup", "ssssi", lc_op_make_cgroup },
	{ "unmakeCgroup", "ssi", lc_op_unmake_cgroup },
	{ "confirmNoCgroups", "b", lc_op_confirm_no_cgroups },
	{ "removeCgroups", "b", lc_op_remove_cgroups },
	{ "writeCgroup", "sss", op_write_cgroup },
	{ "confirmCgroup", "sss", op_confirm_cgroup },
	{ "readCgroups", "bb", op_read_cgroups },
	{ "readCgroupSets", "bbbb", lc_op_read_cgroup_sets },
	{ "readEvents", "ib", op_read_events },
	{ "joinCgroups", "ib", op_join_cgroups },
	{ "listProcesses", "ssib", op_list_processes },
	{ "listCgroups", "ssib", lc_op_list_cgroups },
	{ "chownCgroup", "ssiib", lc_op_chown_cgroup },
	{ "signalCgroup", "ssi", op_signal_cgroup },
	{ "freezeCgroup1", "ss", op_freeze_cgroup1 },
	{ "notifyCgroup1", "ssss", lc_op_notify_cgroup1 },
	{ "watchCgroup", "issbb", lc_op_watch_cgroup },
	{ "attachDeviceProgram", "ssb", lc_op_attach_device_program },
	{ "forkPlaceholder", "b", lc_op_fork_placeholder },
	{ "startInCgroup", "bbbbbs", lc_op_start_in_cgroup },
	{ 0 },
};
