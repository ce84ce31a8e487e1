/* SPDX-License-Identifier: Apache-2.0 */
/* Landlock by raw calls, which no libc has: landlock(7). What the rights are called is TypeScript's to know. */
#include "init.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#define RULE_PATH_BENEATH 1
#define RULE_NET_PORT 2

/* The rights that a file which is no directory can have: execute, write, read, truncate, ioctl of a device. */
#define OF_FILES (1ull << 0 | 1ull << 1 | 1ull << 2 | 1ull << 14 | 1ull << 15)

/* As linux/landlock.h has them, which headers are often older than. An older kernel takes what is beyond its own as long as that is 0. */
struct ruleset {
	uint64_t fs, net, scoped;
};

struct path_beneath {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

struct net_port {
	uint64_t allowed, port;
};

/* createRuleset(rights of files, rights of the network, scopes): its descriptor. What is in none of the three stays free. */
static int64_t op_create_ruleset(struct lc_ctx *c, const union lc_arg *a)
{
	struct ruleset set = { (uint64_t)a[0].i, (uint64_t)a[1].i, (uint64_t)a[2].i };
	long fd = syscall(SYS_landlock_create_ruleset, &set, sizeof(set), 0);

	return fd < 0 ? lc_fail(c, "landlock_create_ruleset") : fd;
}

/* allowBeneath(ruleset, path, rights): of a file those that a file can have; the kernel refuses the others on it. */
static int64_t op_allow_beneath(struct lc_ctx *c, const union lc_arg *a)
{
	struct path_beneath rule = { .allowed = (uint64_t)a[2].i };
	struct stat st;
	int64_t result = 0;

	rule.parent = open(a[1].s, O_PATH | O_CLOEXEC);
	if (rule.parent < 0)
		return lc_fail(c, "open");
	if (fstat(rule.parent, &st) < 0)
		result = lc_fail(c, "fstat");
	else if (!S_ISDIR(st.st_mode))
		rule.allowed &= OF_FILES;
	/* A rule that allows nothing is refused; without one nothing is allowed either. */
	if (result == 0 && rule.allowed && syscall(SYS_landlock_add_rule, (int)a[0].i, RULE_PATH_BENEATH, &rule, 0) < 0)
		result = lc_fail(c, "landlock_add_rule");
	close(rule.parent);
	return result;
}

/* allowPort(ruleset, port, rights). */
static int64_t op_allow_port(struct lc_ctx *c, const union lc_arg *a)
{
	struct net_port rule = { .allowed = (uint64_t)a[2].i, .port = (uint64_t)a[1].i };

	return syscall(SYS_landlock_add_rule, (int)a[0].i, RULE_NET_PORT, &rule, 0) < 0 ? lc_fail(c, "landlock_add_rule") : 0;
}

/* restrictSelf(ruleset): from now on, for this thread and what it becomes. */
static int64_t op_restrict_self(struct lc_ctx *c, const union lc_arg *a)
{
	return syscall(SYS_landlock_restrict_self, (int)a[0].i, 0) < 0 ? lc_fail(c, "landlock_restrict_self") : 0;
}

const struct lc_op lc_landlock_ops[] = {
	{ "createRuleset", "iii", op_create_ruleset },
	{ "allowBeneath", "isi", op_allow_beneath },
	{ "allowPort", "iii", op_allow_port },
	{ "restrictSelf", "i", op_restrict_self },
	{ 0 },
};
