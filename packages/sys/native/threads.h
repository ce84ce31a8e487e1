/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads of a Node.js process: one that clones, one that watches, and a pool that grows and shrinks.
 *
 * They belong to the process, not to an environment, and are never libuv's: its four threads would be held by whatever waits
 * here, and with them all of fs and dns. Only sys' binding has them; the other bindings get this table from it.
 */
#ifndef LC_THREADS_H
#define LC_THREADS_H

#include <stdint.h>

#include "op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Work for another thread. `run` owns the job from then on. */
struct lc_job {
	void (*run)(struct lc_job *job);
	struct lc_job *next;
};

/* Called once by the watcher's thread, unless lc_unwatch() came first. */
typedef void lc_ready(void *with, uint32_t events);

struct lc_threads {
	/* sys' own ops, which a batch of any facility may name beside that facility's. */
	const struct lc_op *ops;
	/* Queues a job for the pool (lane 0) or the spawner (LC_SPAWNER). 0, or -errno. */
	int (*submit)(struct lc_job *job, int lane);
	/* Waits for poll(2) events on a descriptor, once. An id (above 0), or -errno. */
	int64_t (*watch)(int fd, uint32_t events, lc_ready *ready, void *with);
	/* What `ready` was to be called with, and will not be any more; NULL when it was or is being called. */
	void *(*unwatch)(int64_t id);
};

extern const struct lc_threads lc_threads;

#ifdef __cplusplus
}
#endif
#endif
