/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libseccomp as a contender: told a profile once, it compiles it as often as it is asked, from nothing to the bytes of the filter.
 *
 *   libseccomp OPTIMIZE       SCMP_FLTATR_CTL_OPTIMIZE: 1, a list; 2, a tree, which is what runc asks for
 *
 *   default ACTION
 *   arch NAME
 *   rule ACTION SYSCALL [INDEX:OP:A:B]...
 *   compile                   writes the nanoseconds that it took
 *   size                      writes how many instructions the filter has
 */
#define _GNU_SOURCE
#include <errno.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct rule {
	uint32_t action;
	char name[64];
	unsigned count;
	struct scmp_arg_cmp args[6];
};

static struct rule rules[4096];
static uint32_t archs[32], standard;
static int rule_count, arch_count;

static void fail(const char *what, int error)
{
	printf("error %s: %s\n", what, strerror(error < 0 ? -error : error));
	fflush(stdout);
	exit(1);
}

static enum scmp_compare operator_of(const char *name)
{
	static const char *const names[] = { "", "NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ" };

	for (int i = 1; i < 8; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	fail(name, EINVAL);
	return 0;
}

static void read_rule(char *line)
{
	struct rule *r = &rules[rule_count++];

	r->action = strtoul(strtok(line, " "), NULL, 0);
	snprintf(r->name, sizeof(r->name), "%s", strtok(NULL, " "));
	for (char *word; (word = strtok(NULL, " ")) != NULL; r->count++) {
		char op[16], a[32], b[32];
		unsigned index;

		if (r->count == 6 || sscanf(word, "%u:%15[^:]:%31[^:]:%31s", &index, op, a, b) != 4)
			fail(word, EINVAL);
		r->args[r->count] = (struct scmp_arg_cmp){ index, operator_of(op), strtoull(a, NULL, 0), strtoull(b, NULL, 0) };
	}
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static off_t compile(uint32_t optimize)
{
	scmp_filter_ctx filter = seccomp_init(standard);
	int fd = memfd_create("bpf", MFD_CLOEXEC), rc;
	off_t size;

	if (!filter || fd < 0 || seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, optimize) < 0)
		fail("seccomp_init", EINVAL);
	for (int i = 0; i < arch_count; i++) {
		rc = seccomp_arch_add(filter, archs[i]);
		if (rc < 0 && rc != -EEXIST)
			fail("seccomp_arch_add", rc);
	}
	for (struct rule *r = rules; r < rules + rule_count; r++) {
		int number = seccomp_syscall_resolve_name(r->name);

		if (number == __NR_SCMP_ERROR)
			continue;
		rc = seccomp_rule_add_array(filter, r->action, number, r->count, r->args);
		if (rc < 0)
			fail(r->name, rc);
	}
	rc = seccomp_export_bpf(filter, fd);
	if (rc < 0)
		fail("seccomp_export_bpf", rc);
	size = lseek(fd, 0, SEEK_END);
	close(fd);
	seccomp_release(filter);
	return size;
}

int main(int argc, char **argv)
{
	static char line[4096];
	uint32_t optimize = argc > 1 ? strtoul(argv[1], NULL, 0) : 1;

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		if (strncmp(line, "default ", 8) == 0) {
			standard = strtoul(line + 8, NULL, 0);
		} else if (strncmp(line, "arch ", 5) == 0) {
			archs[arch_count++] = seccomp_arch_resolve_name(line + 5);
		} else if (strncmp(line, "rule ", 5) == 0) {
			read_rule(line + 5);
		} else if (strcmp(line, "compile") == 0) {
			int64_t start = now();

			compile(optimize);
			printf("%lld\n", (long long)(now() - start));
		} else if (strcmp(line, "size") == 0) {
			printf("%lld\n", (long long)compile(optimize) / 8);
		} else {
			fail(line, EINVAL);
		}
		fflush(stdout);
	}
	return 0;
}
