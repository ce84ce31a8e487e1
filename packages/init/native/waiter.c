/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The waiter: what a foreground command line is while its container runs. The executable becomes it and stays the same process, so that the
 * program is its child as before; it forwards signals, carries bytes between the caller's streams and the program's, reaps the program, and
 * becomes the executable again to clean up. Policy came in the request; nothing here decides.
 */
#include "init.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define CLOEXEC_RANGE 4u	/* CLOSE_RANGE_CLOEXEC, 5.11 */
#define PIDFD 3			/* P_PIDFD of waitid(2) */
#define MODES 44		/* struct termios2, by its number and not by its type, which fights with musl's termios */
#define GET_MODES 0x802c542a
#define SET_MODES 0x402c542b
#define CC_AT 17		/* of termios2: the special characters */
#define END_OF_INPUT (CC_AT + 4)
#define CHANNELS 3
#define MAX_ARGS 16
#define MOST_LATE (1u << 20)	/* what a pipe can hold; more was written after the end, by what the program left behind */

/* As src/waiter.ts of cli writes it; the arguments of the executable follow, each with its NUL. */
struct request {
	int32_t pidfd;
	int32_t executable;	/* O_PATH of what to become at the end; -1: exit with the status */
	int32_t terminal;	/* the caller's, whose size the program's terminal follows; -1 for none */
	int32_t master;		/* of the program's terminal */
	uint64_t signals;	/* what is forwarded: bit n - 1 is signal n */
	uint32_t restore;	/* give `terminal` back `modes` at the end */
	uint32_t args;		/* how many; the status becomes the last one */
	struct {
		int32_t from, to;
		uint32_t output;	/* from the program: passed on to the last byte before the end is told */
	} channels[CHANNELS];
	uint8_t modes[MODES];
};

/* One direction. It either reads (nothing is held) or writes. */
struct channel {
	int from, to;		/* -1: over */
	bool output;
	uint32_t at, end;	/* what is held of `bytes` */
	uint32_t late;		/* how much was read after the end */
	uint8_t bytes[4096];
};

static struct channel channels[CHANNELS];
static bool ended;		/* the program has: what is not there now will not come */

/*
 * A standard stream of the caller that never makes us wait: O_NONBLOCK belongs to the open file, which others share, so a terminal or pipe
 * is opened anew. Sockets cannot be, and take our small pieces after POLLOUT.
 */
static int reopened(int fd, int flags)
{
	char path[] = "/proc/self/fd/0";
	struct stat s;
	int anew = -1;

	if (fd <= 2 && fstat(fd, &s) == 0 && (S_ISCHR(s.st_mode) || S_ISFIFO(s.st_mode))) {
		path[sizeof(path) - 2] = (char)('0' + fd);
		anew = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	}
	return anew < 0 ? fd : anew;
}

static void never_wait(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0)
		fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

static bool held(const struct channel *c)
{
	return c->at < c->end;
}

/* Nobody reads any more. The program learns it as from a pipe (SIGPIPE) or a terminal that hangs up. */
static void give_up(struct channel *c)
{
	if (c->output && c->from >= 0)
		close(c->from);
	c->from = -1;
	c->at = c->end = 0;
}

/* The end of the caller's input: a pipe is closed, and a terminal has a character for it. */
static void end_input(struct channel *c, int master)
{
	uint8_t modes[MODES] = { 0 };

	c->from = -1;
	if (c->to != master) {
		close(c->to);
		return;
	}
	if (ioctl(master, GET_MODES, modes) == 0 && modes[END_OF_INPUT] != 0) {
		c->bytes[0] = modes[END_OF_INPUT];
		c->at = 0;
		c->end = 1;
	}
}

static bool later(ssize_t result)
{
	return result < 0 && (errno == EAGAIN || errno == EINTR);
}

static void put(struct channel *c)
{
	ssize_t done = write(c->to, c->bytes + c->at, c->end - c->at);

	if (done >= 0)
		c->at += (uint32_t)done;
	else if (!later(done))
		give_up(c);
}

/* Reads what is there; EIO of a master means that nobody has the terminal open any more. */
static void take(struct channel *c, int master)
{
	ssize_t got = read(c->from, c->bytes, sizeof(c->bytes));

	if (got > 0) {
		c->at = 0;
		c->end = (uint32_t)got;
		c->late += ended ? (uint32_t)got : 0;
		put(c);
	} else if (later(got)) {
		if (ended && errno == EAGAIN)
			c->from = -1;
	} else if (c->output) {
		c->from = -1;
	} else {
		end_input(c, master);
	}
}

/* What we have adopted as a subreaper, and what of it has ended: all but the program, where the kernel begins to name that. */
static void reap_others(int pidfd)
{
	for (;;) {
		siginfo_t any = { 0 }, program = { 0 };

		if (waitid(P_ALL, 0, &any, WEXITED | WNOHANG | WNOWAIT) < 0 || any.si_pid == 0)
			return;
		(void)!syscall(SYS_waitid, PIDFD, pidfd, &program, WEXITED | WNOHANG | WNOWAIT, NULL);
		if (any.si_pid == program.si_pid)
			return;
		(void)!waitid(P_PID, (id_t)any.si_pid, &any, WEXITED | WNOHANG);
	}
}

/* Passes on what has come; true when any of it asks for more than to stop, to go on, to follow a size, or to reap. */
static bool forward(int signals, const struct request *r)
{
	struct signalfd_siginfo info;
	struct winsize size;
	bool asked = false;

	while (read(signals, &info, sizeof(info)) == sizeof(info)) {
		int signal = (int)info.ssi_signo;

		if (signal == SIGCHLD) {
			reap_others(r->pidfd);
			continue;
		}
		if (signal == SIGWINCH) {
			if (r->terminal >= 0 && ioctl(r->terminal, TIOCGWINSZ, &size) == 0)
				ioctl(r->master, TIOCSWINSZ, &size);
			continue;
		}
		asked |= signal != SIGTSTP && signal != SIGCONT;
		syscall(SYS_pidfd_send_signal, r->pidfd, signal, NULL, 0);
		/*
		 * What the caller's shell waits for. The program, alone in its session, is not stopped by this signal
		 * (its process group is orphaned), and may handle it. In a raw terminal ^Z is a byte, and no signal.
		 */
		if (signal == SIGTSTP && r->master < 0)
			kill(getpid(), SIGSTOP);
	}
	return asked;
}

/* Carries bytes and signals until the program has ended, and then what it wrote. */
static void serve(const struct request *r, int signals)
{
	struct pollfd fds[2 + CHANNELS];

	for (;;) {
		int busy = 0;

		fds[0] = (struct pollfd){ .fd = ended ? -1 : r->pidfd, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = signals, .events = POLLIN };
		for (int i = 0; i < CHANNELS; i++) {
			struct channel *c = &channels[i];

			if (ended && !c->output)
				c->from = c->to = -1;
			while (ended && c->output && c->from >= 0 && !held(c) && c->late < MOST_LATE)
				take(c, r->master);
			fds[2 + i] = held(c) ? (struct pollfd){ .fd = c->to, .events = POLLOUT }
					     : (struct pollfd){ .fd = c->from, .events = POLLIN };
			busy += c->output && held(c);
		}
		if (ended && !busy)
			return;
		if (poll(fds, 2 + CHANNELS, -1) < 0)
			continue;
		/* With the program gone the request is ours: whoever reads its output no longer does. */
		if (fds[1].revents && forward(signals, r) && ended)
			return;
		if (fds[0].revents)
			ended = true;
		for (int i = 0; i < CHANNELS; i++) {
			if (!fds[2 + i].revents)
				continue;
			if (held(&channels[i]))
				put(&channels[i]);
			else if (channels[i].from >= 0)
				take(&channels[i], r->master);
		}
	}
}

/* As a shell reports it: the exit code, or 128 and the signal. */
static int reap(int pidfd)
{
	siginfo_t info = { 0 };

	while (syscall(SYS_waitid, PIDFD, pidfd, &info, WEXITED, NULL) < 0)
		if (errno != EINTR)
			return 255;
	return info.si_code == CLD_EXITED ? info.si_status & 0xff : 128 + info.si_status;
}

static void open_channels(const struct request *r)
{
	for (int i = 0; i < CHANNELS; i++) {
		int from = r->channels[i].from, to = r->channels[i].to;
		bool output = r->channels[i].output;

		channels[i].output = output;
		channels[i].from = from < 0 || output ? from : reopened(from, O_RDONLY);
		channels[i].to = to < 0 || !output ? to : reopened(to, O_WRONLY);
		if (from >= 0)
			never_wait(output ? from : to);
	}
}

/* Becomes the executable again: its arguments of the request, and the status. */
static int finish(const struct request *r, size_t size, int status, const char *name)
{
	static char *args[MAX_ARGS + 2];
	static const char failed[] = ": cannot become itself again: what the program left behind is not cleaned up\n";
	char digits[4] = { (char)('0' + status / 100), (char)('0' + status / 10 % 10), (char)('0' + status % 10), 0 };
	char *at = (char *)(r + 1), *end = (char *)r + size;
	extern char **environ;
	uint32_t count = 0;

	if (r->executable < 0)
		return status;
	while (count < r->args && count < MAX_ARGS && at < end) {
		args[count++] = at;
		at += strlen(at) + 1;
	}
	args[count++] = digits;
	syscall(SYS_execveat, r->executable, "", args, environ, AT_EMPTY_PATH);
	(void)!write(2, name, strlen(name));
	(void)!write(2, failed, sizeof(failed) - 1);
	return 1;
}

static const struct request *read_request(int fd, size_t *size)
{
	struct stat s;
	void *at;

	if (fd < 3 || fstat(fd, &s) < 0 || s.st_size <= (off_t)sizeof(struct request))
		return NULL;
	*size = (size_t)s.st_size;
	at = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
	/* The text ends with NUL, so that no string of it runs on. */
	return at == MAP_FAILED || ((const char *)at)[*size - 1] != 0 ? NULL : at;
}

int lc_waiter(int request, const char *name)
{
	size_t size = 0;
	const struct request *r = read_request(request, &size);
	int signals, status, adopts = 0;
	uint64_t watched;

	if (!r)
		return -1;
	syscall(SYS_close_range, 3, ~0u, CLOEXEC_RANGE);
	prctl(PR_SET_NAME, name);
	signal(SIGPIPE, SIG_IGN);
	/* They are blocked already, since before the program was started: none is lost on the way here. */
	watched = r->signals;
	prctl(PR_GET_CHILD_SUBREAPER, &adopts);
	if (adopts)
		watched |= 1ull << (SIGCHLD - 1);
	signals = (int)syscall(SYS_signalfd4, -1, &watched, sizeof(watched), SFD_CLOEXEC | SFD_NONBLOCK);
	open_channels(r);
	if (adopts)
		reap_others(r->pidfd);
	serve(r, signals);
	status = reap(r->pidfd);
	if (r->restore) {
		/* Also where the caller's shell has put us into the background, which would stop us here. */
		signal(SIGTTOU, SIG_IGN);
		ioctl(r->terminal, SET_MODES, r->modes);
	}
	return finish(r, size, status, name);
}
