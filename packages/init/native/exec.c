/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the user's program in the container's PATH, and becoming it. */
#include "init.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_STRINGS 65536	/* of argv and environ together; untouched pages cost nothing */

static char program[4096];
static char *strings[MAX_STRINGS + 2];

/* execvp(3)'s rule: a regular file that the effective ids may execute. */
static int executable(const char *path)
{
	struct stat s;

	if (stat(path, &s) < 0)
		return -errno;
	if (S_ISDIR(s.st_mode))
		return -EACCES;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

static int join(const char *directory, size_t size, const char *name)
{
	size_t length = strlen(name);

	/* An empty entry of PATH is the working directory. */
	if (size == 0) {
		directory = ".";
		size = 1;
	}
	if (size + 1 + length + 1 > sizeof(program))
		return -ENAMETOOLONG;
	memcpy(program, directory, size);
	program[size] = '/';
	memcpy(program + size + 1, name, length + 1);
	return 0;
}

/* findProgram(name, PATH): 0 when it was found, by the rules of execvp(3); a name with a slash is taken as it is. */
static int64_t op_find_program(struct lc_ctx *c, const union lc_arg *a)
{
	const char *name = a[0].s, *path = a[1].s;
	int error = -ENOENT;

	lc_detail(c, name);
	if (*name == 0)
		return lc_refuse(c, "execve", ENOENT);
	if (strchr(name, '/')) {
		if (strlen(name) >= sizeof(program))
			return lc_refuse(c, "execve", ENAMETOOLONG);
		strcpy(program, name);
		error = executable(program);
		return error < 0 ? lc_refuse(c, "execve", -error) : 0;
	}
	for (;;) {
		size_t size = strcspn(path, ":");
		int result = join(path, size, name);

		if (result == 0)
			result = executable(program);
		if (result == 0)
			return 0;
		/* "Permission denied" says more than "not found" in a later directory. */
		if (result == -EACCES)
			error = result;
		if (path[size] == 0)
			return lc_refuse(c, "execve (not in PATH)", -error);
		path += size + 1;
	}
}

static int64_t split(const struct lc_bytes *bytes, char **to, size_t room)
{
	size_t count = 0;

	for (size_t at = 0; at < bytes->size; at += strlen((char *)bytes->at + at) + 1) {
		if (count + 1 >= room)
			return -E2BIG;
		to[count++] = (char *)bytes->at + at;
	}
	to[count] = NULL;
	return (int64_t)count;
}

/* argv and environ as execve(2) takes them, of bytes with NUL-separated strings; valid until the next call. */
int64_t lc_split_command(struct lc_ctx *c, const struct lc_bytes *argv, const struct lc_bytes *environ, const struct lc_bytes *more,
			 char ***argv_out, char ***environ_out)
{
	int64_t args = split(argv, strings, MAX_STRINGS), variables;

	if (args <= 0)
		return lc_refuse(c, "execve", args < 0 ? E2BIG : EINVAL);
	variables = split(environ, strings + args + 1, (size_t)(MAX_STRINGS - args));
	if (variables < 0 || split(more, strings + args + 1 + variables, (size_t)(MAX_STRINGS - args - variables)) < 0)
		return lc_refuse(c, "execve", E2BIG);
	*argv_out = strings;
	*environ_out = strings + args + 1;
	return 0;
}

/* execProgram(argv, environ, what an answer adds to it), each NUL-separated: runs what findProgram found. */
static int64_t op_exec_program(struct lc_ctx *c, const union lc_arg *a)
{
	char **argv, **environ;
	int64_t result = lc_split_command(c, &a[0].b, &a[1].b, &a[2].b, &argv, &environ);

	if (result < 0)
		return result;
	execve(program, argv, environ);
	lc_detail(c, program);
	return lc_fail(c, "execve");
}

/* execDescriptor(file, argv, environ, more): runs a program that is in no root filesystem. A script is none: its interpreter could not open it. */
static int64_t op_exec_descriptor(struct lc_ctx *c, const union lc_arg *a)
{
	char **argv, **environ;
	int64_t result = lc_split_command(c, &a[1].b, &a[2].b, &a[3].b, &argv, &environ);

	if (result < 0)
		return result;
	syscall(SYS_execveat, (int)a[0].i, "", argv, environ, 0x1000 /* AT_EMPTY_PATH */);
	return lc_fail(c, "execveat");
}

int lc_become(char **argv)
{
	extern char **environ;
	struct lc_ctx c = { 0 };
	union lc_arg a[2] = { { .s = argv[0] }, { .s = "" } };
	int64_t result;

	for (char **variable = environ; *variable; variable++)
		if (strncmp(*variable, "PATH=", 5) == 0)
			a[1].s = *variable + 5;
	result = op_find_program(&c, a);
	if (result == 0) {
		execve(program, argv, environ);
		result = -errno;
	}
	return result == -ENOENT ? 127 : 126;
}

const struct lc_op lc_exec_ops[] = {
	{ "findProgram", "ss", op_find_program },
	{ "execProgram", "bbb", op_exec_program },
	{ "execDescriptor", "ibbb", op_exec_descriptor },
	{ 0 },
};
