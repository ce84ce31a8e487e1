/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Has the kernel load filters, each in a child of its own: standard input has { u32 size, instructions }, output the errno of each load, 0 for none.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	static struct sock_filter code[4200];
	uint32_t size;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	while (fread(&size, 4, 1, stdin) == 1 && size <= sizeof(code) && fread(code, 1, size, stdin) == size) {
		struct sock_fprog program = { (unsigned short)(size / sizeof(*code)), code };
		int status = 0;
		pid_t pid = fork();

		if (pid == 0) {
			if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
				_exit(errno);
			/* Behind it this may be refused, too. */
			syscall(SYS_exit_group, 0);
			__builtin_trap();
		}
		waitpid(pid, &status, 0);
		printf("%d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 0);
	}
	return 0;
}
