/* SPDX-License-Identifier: Apache-2.0 */
/* All namespaces that processes are in. */
#include "ops.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../sys/native/entry.h"

static const struct {
	int flag;
	const char *file;
} kinds[] = {
	{ CLONE_NEWUSER, "ns/user" }, { CLONE_NEWIPC, "ns/ipc" }, { CLONE_NEWUTS, "ns/uts" }, { CLONE_NEWNET, "ns/net" },
	{ CLONE_NEWPID, "ns/pid" }, { CLONE_NEWNS, "ns/mnt" }, { CLONE_NEWCGROUP, "ns/cgroup" }, { 0x00000080, "ns/time" },
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

/* What src/list.ts reads. A place with no processes is free. */
struct found {
	int32_t pid;		/* the lowest */
	uint32_t uid;		/* whose that is */
	int64_t processes;
	struct lc_namespace what;
};

struct table {
	struct found *at;
	size_t size, used;	/* a power of two */
};

/* Inodes of namespaces are given one after another: any few bits of them tell them apart. */
static struct found *place(const struct table *table, int64_t device, int64_t inode)
{
	for (size_t i = (size_t)inode & (table->size - 1);; i = (i + 1) & (table->size - 1)) {
		struct found *found = &table->at[i];

		if (found->processes == 0 || (found->what.inode == inode && found->what.device == device))
			return found;
	}
}

static int64_t number_of(const char *name)
{
	int64_t number = 0;

	for (; *name >= '0' && *name <= '9'; name++)
		number = number * 10 + (*name - '0');
	return *name == 0 ? number : -1;
}

/* A process that ends meanwhile, and one whose namespaces are not shown to us, has none here. -ERANGE when the table is full. */
static int64_t look_at(struct lc_ctx *c, struct table *table, int process, int32_t pid)
{
	struct stat whose, st;

	if (fstat(process, &whose) < 0)
		return 0;
	for (size_t k = 0; k < KINDS; k++) {
		struct found *found;
		int64_t result;
		int fd;

		if (fstatat(process, kinds[k].file, &st, 0) < 0)
			continue;
		found = place(table, (int64_t)st.st_dev, (int64_t)st.st_ino);
		if (found->processes > 0) {
			found->processes++;
			continue;
		}
		fd = openat(process, kinds[k].file, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		result = lc_describe_namespace(c, fd, &found->what);
		close(fd);
		/* It may have gone to another between the two calls. */
		if (result < 0 || found->what.inode != (int64_t)st.st_ino) {
			memset(found, 0, sizeof(*found));
			continue;
		}
		found->pid = pid;
		found->uid = whose.st_uid;
		found->processes = 1;
		/* Searches are short, and end, while a quarter is free. */
		if (++table->used > table->size / 4 * 3)
			return lc_refuse(c, "scanNamespaces", ERANGE);
	}
	return 0;
}

/* scanNamespaces(buffer): fills a table of `struct found`, which must be zero; how many there are. ERANGE: a larger one is wanted. */
int64_t lc_op_scan_namespaces(struct lc_ctx *c, const union lc_arg *a)
{
	struct table table = { .at = (struct found *)(void *)a[0].b.at, .size = 1 };
	char chunk[8192] __attribute__((aligned(8)));
	int64_t result = 0;
	long got = 0;
	int proc;

	while (table.size * 2 * sizeof(struct found) <= a[0].b.size)
		table.size *= 2;
	if (table.size < 8)
		return lc_refuse(c, "scanNamespaces", ERANGE);
	proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0)
		return lc_fail(c, "open");
	while (result == 0 && (got = syscall(SYS_getdents64, proc, chunk, sizeof(chunk))) > 0) {
		for (long at = 0; result == 0 && at < got; at += ((struct lc_entry *)(void *)(chunk + at))->size) {
			const char *name = ((struct lc_entry *)(void *)(chunk + at))->name;
			int64_t pid = number_of(name);
			int process;

			if (pid <= 0)
				continue;
			process = openat(proc, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
			if (process < 0)
				continue;
			result = look_at(c, &table, process, (int32_t)pid);
			close(process);
		}
	}
	if (result == 0 && got < 0)
		result = lc_fail(c, "getdents64");
	close(proc);
	return result < 0 ? result : (int64_t)table.used;
}
