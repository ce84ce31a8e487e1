/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libseccomp as the oracle of our compiler: reads profiles as lines and writes what libseccomp makes of them.
 *
 *   default ACTION            begins a profile
 *   arch NAME                 an architecture, by libseccomp's name
 *   rule ACTION SYSCALL [INDEX:OP:A:B]...
 *   end                       writes `rc RC...`, one a rule, then `bpf HEX`
 *   resolve ARCH SYSCALL      writes `nr NUMBER`
 *
 *   oracle run FILE           runs filters: FILE holds jobs of { u32 filters, u32 calls, filters of { u32 size, instructions },
 *                             calls of 16 u32s, the words that a filter loads }; writes a u32 for each call and filter
 *
 * ACTION, A and B are numbers in any base of C; OP is one of NE LT LE EQ GE GT MASKED_EQ.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static scmp_filter_ctx filter;
static int codes[8192], count;

static void fail(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, strerror(error < 0 ? -error : error));
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

/* A new filter has the native architecture, and architectures of the other byte order cannot join it. */
static void begin(uint32_t action)
{
	filter = seccomp_init(action);
	if (!filter || seccomp_arch_remove(filter, SCMP_ARCH_NATIVE) < 0)
		fail("seccomp_init", EINVAL);
	count = 0;
}

static void rule(char *line)
{
	struct scmp_arg_cmp args[6];
	unsigned n = 0;
	uint32_t action = strtoul(strtok(line, " "), NULL, 0);
	const char *name = strtok(NULL, " ");
	int number = seccomp_syscall_resolve_name(name);

	for (char *word; (word = strtok(NULL, " ")) != NULL; n++) {
		char op[16], a[32], b[32];
		unsigned index;

		/* Not %lli, which stops at LLONG_MAX. */
		if (n == 6 || sscanf(word, "%u:%15[^:]:%31[^:]:%31s", &index, op, a, b) != 4)
			fail(word, EINVAL);
		args[n] = (struct scmp_arg_cmp){ index, operator_of(op), strtoull(a, NULL, 0), strtoull(b, NULL, 0) };
	}
	codes[count++] = number == __NR_SCMP_ERROR ? -ENOSYS
						   : seccomp_rule_add_array(filter, action, number, n, args);
}

static void finish(void)
{
	int fd = memfd_create("bpf", MFD_CLOEXEC);
	unsigned char bytes[8 * 4096 * 4];
	ssize_t size;
	int rc = seccomp_export_bpf(filter, fd);

	if (rc < 0)
		fail("seccomp_export_bpf", rc);
	size = pread(fd, bytes, sizeof(bytes), 0);
	printf("rc");
	for (int i = 0; i < count; i++)
		printf(" %d", codes[i]);
	printf("\nbpf ");
	for (ssize_t i = 0; i < size; i++)
		printf("%02x", bytes[i]);
	printf("\n");
	close(fd);
	seccomp_release(filter);
}

/* What filters of libseccomp and of ours are made of. */
static uint32_t run(const struct sock_filter *f, const uint32_t *words)
{
	uint32_t a = 0;

	for (;; f++) {
		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			a = words[f->k / 4];
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= f->k;
			break;
		case BPF_JMP | BPF_JA:
			f += f->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			f += a == f->k ? f->jt : f->jf;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			f += a > f->k ? f->jt : f->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			f += a >= f->k ? f->jt : f->jf;
			break;
		case BPF_RET | BPF_K:
			return f->k;
		default:
			fail("an instruction", EINVAL);
		}
	}
}

static int run_jobs(const char *path)
{
	static const struct sock_filter *filters[16];
	uint32_t results[16];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat s;
	const uint32_t *at, *end;

	if (fd < 0 || fstat(fd, &s) < 0)
		fail(path, errno);
	at = mmap(NULL, s.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		fail(path, errno);
	for (end = at + s.st_size / 4; at < end;) {
		uint32_t count = *at++, calls = *at++;

		if (count > 16)
			fail("too many filters", EINVAL);
		for (uint32_t i = 0; i < count; i++) {
			uint32_t size = *at++;

			filters[i] = (const struct sock_filter *)at;
			at += size / 4;
		}
		for (uint32_t i = 0; i < calls; i++, at += 16) {
			for (uint32_t f = 0; f < count; f++)
				results[f] = run(filters[f], at);
			fwrite(results, 4, count, stdout);
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	static char line[4096];

	if (argc == 3 && strcmp(argv[1], "run") == 0)
		return run_jobs(argv[2]);

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		if (strncmp(line, "default ", 8) == 0) {
			begin(strtoul(line + 8, NULL, 0));
		} else if (strncmp(line, "arch ", 5) == 0) {
			int rc = seccomp_arch_add(filter, seccomp_arch_resolve_name(line + 5));

			if (rc < 0)
				fail(line, rc);
		} else if (strncmp(line, "rule ", 5) == 0) {
			rule(line + 5);
		} else if (strcmp(line, "end") == 0) {
			finish();
		} else if (strncmp(line, "resolve ", 8) == 0) {
			char *name = strchr(line + 8, ' ');
			*name++ = 0;
			printf("nr %d\n", seccomp_syscall_resolve_name_arch(seccomp_arch_resolve_name(line + 8), name));
		} else {
			fail(line, EINVAL);
		}
	}
	return 0;
}
