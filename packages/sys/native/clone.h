/* SPDX-License-Identifier: Apache-2.0 */
/* clone(2) onto a stack of its own, by the raw call: no libc has a say in what may be cloned, or keeps a record of it. */
#ifndef LC_CLONE_H
#define LC_CLONE_H

#include <stddef.h>
#include <sys/syscall.h>

/* The child never returns from `enter`, so nothing of this frame is read on the new stack: registers carry what it needs. */
static inline long lc_clone_onto_stack(unsigned long flags, void *stack, int *parent_tid, int *child_tid, void (*enter)(void *), void *with)
{
#if defined(__x86_64__)
	long result = SYS_clone;
	register void *ctid __asm__("r10") = child_tid;
	register void *fn __asm__("r8") = (void *)enter;
	register void *arg __asm__("r9") = with;

	/* r8 would be `tls`, which is read with CLONE_SETTLS alone. */
	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "mov %%r9, %%rdi\n\t"
			 "call *%%r8\n\t"
			 "ud2\n"
			 "1:"
			 : "+a"(result)
			 : "D"(flags), "S"(stack), "d"(parent_tid), "r"(ctid), "r"(fn), "r"(arg)
			 : "rcx", "r11", "memory");
	return result;
#elif defined(__aarch64__)
	register long x0 __asm__("x0") = (long)flags;
	register void *x1 __asm__("x1") = stack;
	register void *x2 __asm__("x2") = parent_tid;
	register long x3 __asm__("x3") = 0;
	register void *x4 __asm__("x4") = child_tid;
	register void *x5 __asm__("x5") = (void *)enter;
	register void *x6 __asm__("x6") = with;
	register long x8 __asm__("x8") = SYS_clone;

	__asm__ volatile("svc #0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, xzr\n\t"
			 "mov x0, x6\n\t"
			 "blr x5\n\t"
			 "brk #0\n"
			 "1:"
			 : "+r"(x0)
			 : "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5), "r"(x6), "r"(x8)
			 : "memory");
	return x0;
#else
#error "libcontainer runs on x86-64 and arm64"
#endif
}

#endif
