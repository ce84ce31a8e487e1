/* SPDX-License-Identifier: Apache-2.0 */
#include "threads.h"

#include "ops.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

/* What walks 64 directories deep, with paths and names on its way, takes less than half of it; a page that is never touched costs nothing. */
#define STACK (1024 * 1024)
#define POOL_LIMIT 128
#define IDLE_SECONDS 2

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct lc_job *first, **last;
	int threads, idle, limit, waiting;
	const char *name;
	int forever;	/* its threads never end: a parent-death signal fires when the thread that cloned ends */
};

static struct queue queues[] = {
	{ .lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER, .last = &queues[0].first, .limit = POOL_LIMIT, .name = "lc-pool" },
	{ .lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER, .last = &queues[1].first, .limit = 1, .name = "lc-spawner", .forever = 1 },
};

/* Starts a detached thread with all signals blocked: the process's handlers run on its own threads alone. */
static int start(void *(*body)(void *), void *with)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	pthread_t thread;
	int error;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&thread, &attributes, body, with);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return -error;
}

static struct lc_job *take(struct queue *q)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += IDLE_SECONDS;
	while (!q->first) {
		int error = 0;

		q->idle++;
		if (q->forever)
			pthread_cond_wait(&q->filled, &q->lock);
		else
			error = pthread_cond_timedwait(&q->filled, &q->lock, &until);
		q->idle--;
		if (error == ETIMEDOUT && !q->first)
			return NULL;
	}
	struct lc_job *job = q->first;

	q->first = job->next;
	if (!q->first)
		q->last = &q->first;
	q->waiting--;
	return job;
}

static void *serve(void *with)
{
	struct queue *q = with;
	struct lc_job *job;

	prctl(PR_SET_NAME, q->name);
	pthread_mutex_lock(&q->lock);
	while ((job = take(q))) {
		pthread_mutex_unlock(&q->lock);
		job->run(job);
		pthread_mutex_lock(&q->lock);
	}
	q->threads--;
	pthread_mutex_unlock(&q->lock);
	return NULL;
}

static int submit(struct lc_job *job, int lane)
{
	struct queue *q = &queues[lane];
	int error = 0;

	job->next = NULL;
	pthread_mutex_lock(&q->lock);
	/* A thread for every job that no idle one will take, since any job may wait for long. */
	if (q->waiting >= q->idle && q->threads < q->limit) {
		error = start(serve, q);
		if (error == 0)
			q->threads++;
		else if (q->threads > 0)
			error = 0;
	}
	if (error == 0) {
		*q->last = job;
		q->last = &job->next;
		q->waiting++;
		pthread_cond_signal(&q->filled);
	}
	pthread_mutex_unlock(&q->lock);
	return error;
}

/* One epoll for everything that is waited for. A watch is found by its id, so that one that was removed is never called. */
struct watch {
	lc_ready *ready;
	void *with;
	int fd;
	int owned;		/* a duplicate of ours: the caller's descriptor was being watched already */
	uint32_t generation;
};

static struct {
	pthread_mutex_t lock;
	int epoll;
	struct watch *slots;
	uint32_t size, *free, free_count;
} watcher = { .lock = PTHREAD_MUTEX_INITIALIZER, .epoll = -1 };

static void drop(uint32_t slot)
{
	struct watch *w = &watcher.slots[slot];

	if (w->fd >= 0)
		epoll_ctl(watcher.epoll, EPOLL_CTL_DEL, w->fd, NULL);
	if (w->owned)
		close(w->fd);
	w->ready = NULL;
	/* An id stays positive. */
	w->generation = (w->generation + 1) & INT32_MAX;
	watcher.free[watcher.free_count++] = slot;
}

/*
 * epoll knows a registration by number and open file, and keeps it as long as anybody has that file open: a child, say. So a descriptor that
 * was closed while it was watched, and whose number now names another file that is watched, too, would take that one's registration along when
 * it is dropped. It has no number any more.
 */
static void forget_number(int fd)
{
	for (uint32_t i = 0; i < watcher.size; i++)
		if (watcher.slots[i].ready && !watcher.slots[i].owned && watcher.slots[i].fd == fd)
			watcher.slots[i].fd = -1;
}

static void *watch_all(void *unused)
{
	struct epoll_event events[64];

	(void)unused;
	prctl(PR_SET_NAME, "lc-watcher");
	for (;;) {
		int count = epoll_wait(watcher.epoll, events, 64, -1);

		for (int i = 0; i < count; i++) {
			uint32_t slot = (uint32_t)events[i].data.u64, generation = (uint32_t)(events[i].data.u64 >> 32);
			lc_ready *ready = NULL;
			void *with = NULL;

			pthread_mutex_lock(&watcher.lock);
			struct watch *w = &watcher.slots[slot];

			if (w->ready && w->generation == generation) {
				ready = w->ready;
				with = w->with;
				drop(slot);
			}
			pthread_mutex_unlock(&watcher.lock);
			if (ready)
				ready(with, events[i].events);
		}
	}
	return NULL;
}

static int grow(void)
{
	uint32_t size = watcher.size ? watcher.size * 2 : 64;
	struct watch *slots = realloc(watcher.slots, size * sizeof(*slots));
	uint32_t *free;

	if (!slots)
		return -ENOMEM;
	watcher.slots = slots;
	free = realloc(watcher.free, size * sizeof(*free));
	if (!free)
		return -ENOMEM;
	watcher.free = free;
	for (uint32_t i = watcher.size; i < size; i++) {
		slots[i] = (struct watch){ .generation = 1 };
		watcher.free[watcher.free_count++] = i;
	}
	watcher.size = size;
	return 0;
}

static int open_watcher(void)
{
	int error;

	if (watcher.epoll >= 0)
		return 0;
	watcher.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (watcher.epoll < 0)
		return -errno;
	error = start(watch_all, NULL);
	if (error < 0) {
		close(watcher.epoll);
		watcher.epoll = -1;
	}
	return error;
}

static int64_t watch_locked(int fd, uint32_t events, lc_ready *ready, void *with)
{
	struct epoll_event event = { .events = events | EPOLLONESHOT };
	int error = open_watcher();
	struct watch *w;
	uint32_t slot;

	if (error == 0 && watcher.free_count == 0)
		error = grow();
	if (error < 0)
		return error;
	slot = watcher.free[watcher.free_count - 1];
	w = &watcher.slots[slot];
	event.data.u64 = (uint64_t)w->generation << 32 | slot;
	w->fd = fd;
	w->owned = 0;
	/* The thread may see the event before epoll_ctl returns; it then waits for the lock that we hold. */
	if (epoll_ctl(watcher.epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		if (errno != EEXIST)
			return -errno;
		w->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (w->fd < 0)
			return -errno;
		if (epoll_ctl(watcher.epoll, EPOLL_CTL_ADD, w->fd, &event) < 0) {
			error = -errno;
			close(w->fd);
			return error;
		}
		w->owned = 1;
	}
	forget_number(w->fd);
	watcher.free_count--;
	w->ready = ready;
	w->with = with;
	return (int64_t)(((uint64_t)w->generation << 32 | slot) & INT64_MAX);
}

static int64_t watch(int fd, uint32_t events, lc_ready *ready, void *with)
{
	int64_t id;

	pthread_mutex_lock(&watcher.lock);
	id = watch_locked(fd, events, ready, with);
	pthread_mutex_unlock(&watcher.lock);
	return id;
}

static void *unwatch(int64_t id)
{
	uint32_t slot = (uint32_t)id, generation = (uint32_t)(id >> 32);
	void *with = NULL;

	pthread_mutex_lock(&watcher.lock);
	if (slot < watcher.size && watcher.slots[slot].ready && watcher.slots[slot].generation == generation) {
		with = watcher.slots[slot].with;
		drop(slot);
	}
	pthread_mutex_unlock(&watcher.lock);
	return with;
}

const struct lc_threads lc_threads = { lc_sys_ops, submit, watch, unwatch };
