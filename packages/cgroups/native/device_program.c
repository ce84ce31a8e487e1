/* SPDX-License-Identifier: Apache-2.0 */
/* Loads a cgroup-device program (eBPF) and attaches it to a cgroup2 directory in place of what is attached there. */
#include "directory.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>

#define MAX_PROGRAMS 64	/* as many as the kernel attaches to one cgroup */
#define TRIES 5		/* the verifier answers EAGAIN when a signal came */

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

/* Before Linux 5.11 programs count against RLIMIT_MEMLOCK, whose default is too small for some: as much as we may have. */
static void raise_memlock(void)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

	if (setrlimit(RLIMIT_MEMLOCK, &limit) == 0 || getrlimit(RLIMIT_MEMLOCK, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_MEMLOCK, &limit);
}

static int load(const struct lc_bytes *program, char *log, size_t size)
{
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uint64_t)(uintptr_t)program->at;
	attr.insn_cnt = (uint32_t)(program->size / 8);
	attr.license = (uint64_t)(uintptr_t)"Apache-2.0";
	if (log) {
		attr.log_level = 1;
		attr.log_buf = (uint64_t)(uintptr_t)log;
		attr.log_size = (uint32_t)size;
	}
	for (int i = 0; i < TRIES; i++) {
		fd = bpf(BPF_PROG_LOAD, &attr);
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd;
}

/* The verifier's last words, which tell the reason. */
static void explain(struct lc_ctx *c, const struct lc_bytes *program)
{
	char log[4096] = "";
	size_t size;
	int fd = load(program, log, sizeof(log));

	if (fd >= 0)
		close(fd);
	log[sizeof(log) - 1] = 0;
	size = strlen(log);
	lc_detail(c, size < sizeof(c->detail) ? log : log + size - sizeof(c->detail) + 1);
}

static int load_program(struct lc_ctx *c, const struct lc_bytes *program)
{
	int fd = load(program, NULL, 0);
	int result;

	if (fd < 0 && errno == EPERM) {
		raise_memlock();
		fd = load(program, NULL, 0);
	}
	if (fd >= 0)
		return fd;
	result = (int)lc_fail(c, "bpf(BPF_PROG_LOAD)");
	explain(c, program);
	return result;
}

static int attached(int cgroup, uint32_t ids[MAX_PROGRAMS])
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = (uint32_t)cgroup;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = (uint64_t)(uintptr_t)ids;
	attr.query.prog_cnt = MAX_PROGRAMS;
	return bpf(BPF_PROG_QUERY, &attr) < 0 ? -1 : (int)attr.query.prog_cnt;
}

static int program_of(uint32_t id)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_id = id;
	return bpf(BPF_PROG_GET_FD_BY_ID, &attr);
}

static int attach(int cgroup, int program, int replaced)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)cgroup;
	attr.attach_bpf_fd = (uint32_t)program;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	if (replaced >= 0) {
		attr.attach_flags |= BPF_F_REPLACE;
		attr.replace_bpf_fd = (uint32_t)replaced;
	}
	return bpf(BPF_PROG_ATTACH, &attr);
}

static int detach(int cgroup, int program)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)cgroup;
	attr.attach_bpf_fd = (uint32_t)program;
	attr.attach_type = BPF_CGROUP_DEVICE;
	return bpf(BPF_PROG_DETACH, &attr);
}

/* One old program: swapped in one step, so that no moment has both or none. Else the new one first, then the old ones go. */
static int64_t replace(struct lc_ctx *c, int cgroup, int program)
{
	uint32_t ids[MAX_PROGRAMS];
	int count = attached(cgroup, ids);
	int old = count == 1 ? program_of(ids[0]) : -1;
	int64_t result = 0;

	if (count < 0)
		return lc_fail(c, "bpf(BPF_PROG_QUERY)");
	if (old >= 0 && attach(cgroup, program, old) == 0) {
		close(old);
		return 0;
	}
	if (old >= 0)
		close(old);
	if (attach(cgroup, program, -1) < 0)
		return lc_fail(c, "bpf(BPF_PROG_ATTACH)");
	for (int i = 0; i < count && result == 0; i++) {
		old = program_of(ids[i]);
		if (old < 0 || detach(cgroup, old) < 0)
			result = errno == ENOENT ? 0 : lc_fail(c, "bpf(BPF_PROG_DETACH)");
		if (old >= 0)
			close(old);
	}
	return result;
}

/* attachDeviceProgram(mount, path, instructions): from then on the program alone decides which devices may be used. */
int64_t lc_op_attach_device_program(struct lc_ctx *c, const union lc_arg *a)
{
	int cgroup = lc_open_cgroup(c, a[0].s, a[1].s, O_RDONLY | O_DIRECTORY);
	int64_t result;
	int program;

	if (cgroup < 0)
		return cgroup;
	program = load_program(c, &a[2].b);
	result = program < 0 ? program : replace(c, cgroup, program);
	if (program >= 0)
		close(program);
	close(cgroup);
	return result;
}
