/* SPDX-License-Identifier: Apache-2.0 */
/* Loading a filter with a listener, and giving the listener away. */
#include "ops.h"

#include <linux/sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../sys/native/clone.h"

#define STACK 16384
#define PENDING INT64_MIN
/* Some minutes: longer than any other thread is kept waiting, but for the real-time scheduler's. */
#define PATIENCE 0x400000000ull

struct handover {
	int64_t loaded;			/* what the loader says: the listener, or -errno */
	int64_t handed;			/* what became of it */
	int64_t (*hand)(int listener);
	int alive;			/* the helper's tid, until the kernel has ended it */
};

/*
 * Whoever has loaded the filter may be able to do nothing more: any call may be refused, or wait for an answer through the very listener that has
 * not got away yet. So a thread from before, without the filter, hands it over. Nothing can wake it, since waking is a call, too.
 */
static void help(void *with)
{
	struct handover *h = with;
	int64_t listener;

	while ((listener = __atomic_load_n(&h->loaded, __ATOMIC_ACQUIRE)) == PENDING)
		syscall(SYS_sched_yield);
	if (listener >= 0) {
		h->handed = h->hand((int)listener);
		syscall(SYS_close, (int)listener);
	}
	syscall(SYS_exit, 0);
	__builtin_trap();
}

int64_t lc_load_notifying_filter(struct lc_ctx *c, const union lc_arg *a, int64_t (*hand)(int listener))
{
	unsigned char stack[STACK] __attribute__((aligned(16)));
	struct handover h = { .loaded = PENDING, .hand = hand, .alive = 1 };
	unsigned long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
			      CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
	int64_t loaded = lc_confirm_one_thread(c);
	long helper;

	if (loaded < 0)
		return loaded;
	helper = lc_clone_onto_stack(flags, stack + STACK, &h.alive, &h.alive, help, &h);
	if (helper < 0)
		return lc_refuse(c, "clone", (int)-helper);
	loaded = lc_load_filter(c, a);
	__atomic_store_n(&h.loaded, loaded, __ATOMIC_RELEASE);
	/* Not before the kernel is done with it: its stack is ours, and it must not be the exec that ends it. */
	for (uint64_t i = 0; __atomic_load_n(&h.alive, __ATOMIC_ACQUIRE) != 0; i++) {
		if (i > PATIENCE)
			__builtin_trap();
#ifdef __x86_64__
		__builtin_ia32_pause();
#else
		__asm__ volatile("yield");
#endif
	}
	if (loaded < 0)
		return loaded;
	c->syscall = h.handed < 0 ? "sendmsg" : NULL;
	return h.handed < 0 ? h.handed : 0;
}
