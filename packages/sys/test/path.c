/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the functions of path.h for test/path.root.test.ts: `path ROOT [no-openat2]`, commands on stdin, one a line:
 * an act, a space, a path. Prints for each "inode path-in-the-host" or the errno's number, negative.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "../native/path.h"

static void without_openat2(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(code[0]), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
		_exit(3);
}

static int act(struct lc_ctx *c, int root, int proc, const char *what, const char *path)
{
	const char *last = "";
	int fd = -EINVAL;

	if (strcmp(what, "open") == 0)
		fd = lc_open_in_root(c, root, path, O_PATH);
	if (strcmp(what, "read") == 0)
		fd = lc_open_in_root(c, root, path, O_RDONLY);
	if (strcmp(what, "nofollow") == 0)
		fd = lc_open_in_root(c, root, path, O_PATH | O_NOFOLLOW);
	if (strcmp(what, "directory") == 0)
		fd = lc_open_in_root(c, root, path, O_PATH | O_DIRECTORY);
	if (strcmp(what, "create") == 0)
		fd = lc_create_in_root(c, root, path, O_WRONLY, 0644);
	if (strcmp(what, "exclusive") == 0)
		fd = lc_create_in_root(c, root, path, O_WRONLY | O_EXCL, 0644);
	if (strcmp(what, "mkdir") == 0)
		fd = lc_mkdir_in_root(c, root, path, 0755);
	if (strcmp(what, "mkfile") == 0)
		fd = lc_mkfile_in_root(c, root, path, 0644);
	if (strcmp(what, "parent") == 0)
		fd = lc_parent_in_root(c, root, path, &last);
	if (strcmp(what, "pids") == 0) {
		int pids = lc_open_pids(c);

		fd = lc_open_in_proc(c, pids, path, O_RDONLY);
		close(pids);
	}
	if (strcmp(what, "proc") == 0)
		fd = lc_open_in_proc(c, proc, path, O_RDONLY);
	return fd;
}

static int descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

int main(int argc, char **argv)
{
	char line[9000], what[16], path[8192], link[64], name[8192];
	int root = open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct lc_ctx c = { 0 };
	int proc, before;

	if (root < 0)
		return 1;
	if (argc > 2)
		without_openat2();
	proc = lc_open_proc(&c);
	if (proc < 0)
		return 2;
	before = descriptors();
	while (fgets(line, sizeof(line), stdin)) {
		struct stat st;
		ssize_t size;
		int fd;

		line[strcspn(line, "\n")] = 0;
		path[0] = 0;
		sscanf(line, "%15s %8191[^\n]", what, path);
		c = (struct lc_ctx){ 0 };
		fd = act(&c, root, proc, what, path);
		if (fd < 0) {
			printf("%d\n", fd);
			continue;
		}
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		size = readlink(link, name, sizeof(name) - 1);
		name[size < 0 ? 0 : size] = 0;
		if (fstat(fd, &st) < 0 || !(fcntl(fd, F_GETFD) & FD_CLOEXEC))
			return 4;
		printf("%lu %s\n", (unsigned long)st.st_ino, name);
		close(fd);
	}
	printf("%d left open\n", descriptors() - before);
	return 0;
}
