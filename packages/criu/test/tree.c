/*
 * A process tree that counts: tree DIRECTORY MIB [PORT]
 *
 * Three processes in two sessions, the second of which has a terminal. Each round the first one reads the next line of `in` at its offset, sends the count
 * through a pipe to the second, which sends it through a pair of sockets to the third and a line of it through its terminal, and takes it back from another pipe; with a port also over a connection of TCP; changes one page of its
 * memory and looks at another; and writes a line to `out`. What is not as it should be is written in place of "ok".
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAGE 4096

static uint64_t take(int fd)
{
	uint64_t value = 0;
	size_t got = 0;

	while (got < sizeof(value)) {
		ssize_t n = read(fd, (char *)&value + got, sizeof(value) - got);

		if (n <= 0)
			_exit(3);
		got += n;
	}
	return value;
}

static void give(int fd, uint64_t value)
{
	if (write(fd, &value, sizeof(value)) != sizeof(value))
		_exit(4);
}

static int listener(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (void *)&at, sizeof(at)) < 0 || listen(fd, 4) < 0)
		_exit(5);
	return fd;
}

static int connection(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (void *)&at, sizeof(at)) < 0)
		_exit(6);
	return fd;
}

/* A new terminal, which the session of who asks for it gets. */
static void terminal(int ends[2])
{
	char name[32];
	int number, unlock = 0;

	ends[0] = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	if (ends[0] < 0 || ioctl(ends[0], TIOCSPTLCK, &unlock) < 0 || ioctl(ends[0], TIOCGPTN, &number) < 0)
		_exit(7);
	snprintf(name, sizeof(name), "/dev/pts/%d", number);
	ends[1] = open(name, O_RDWR);
	if (ends[1] < 0 || ioctl(ends[1], TIOCSCTTY, 0) < 0)
		_exit(8);
}

/* What is written to the master is a line to be read at the other end, which is the session's own. */
static void type(const int ends[2], uint64_t value)
{
	char line[32], got[32] = "";
	int length = snprintf(line, sizeof(line), "%llu\n", (unsigned long long)value), own = open("/dev/tty", O_RDONLY);

	if (write(ends[0], line, length) != length || read(own, got, sizeof(got) - 1) != length || strcmp(line, got) != 0)
		_exit(9);
	close(own);
	/* And what it echoes, with its newline as two. */
	if (read(ends[0], got, length + 1) != length + 1)
		_exit(10);
}

int main(int argc, char **argv)
{
	int there[2], back[2], pair[2], pty[2], tcp = -1, port = argc > 3 ? atoi(argv[3]) : 0;
	size_t pages = (size_t)atoi(argv[2]) * 256;
	char *memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int in, out, listening = port ? listener(port) : -1;

	if (chdir(argv[1]) < 0 || memory == MAP_FAILED || pipe(there) < 0 || pipe(back) < 0)
		return 2;
	in = open("in", O_RDONLY);
	out = open("out", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fork() == 0) {
		setsid();
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
			return 2;
		if (fork() == 0) {
			int peer = port ? accept(listening, NULL, NULL) : -1;
			struct pollfd ready[2] = { { pair[1], POLLIN, 0 }, { peer, POLLIN, 0 } };

			for (;;) {
				poll(ready, 2, -1);
				if (ready[0].revents)
					give(pair[1], take(pair[1]) + 1);
				if (ready[1].revents)
					give(peer, take(peer) + 2);
			}
		}
		terminal(pty);
		for (;;) {
			uint64_t count = take(there[0]);

			type(pty, count);
			give(pair[0], count);
			give(back[1], take(pair[0]));
		}
	}
	if (port)
		tcp = connection(port);
	/* In huge pages, as far as there are some, and whatever is done to them, nobody joins them again. Behind the forks: what several share is split when it is written to. */
	madvise(memory, pages * PAGE, MADV_HUGEPAGE);
	for (size_t i = 0; i < pages; i++) {
		/* Every page is its own: none can be left out as one of zeros. */
		for (size_t j = 0; j < PAGE; j += sizeof(uint64_t))
			*(uint64_t *)(memory + i * PAGE + j) = i * 2654435761u + j;
	}
	madvise(memory, pages * PAGE, MADV_NOHUGEPAGE);
	for (uint64_t count = 1;; count++) {
		char line[9] = "";
		const char *fault = "ok";
		size_t page = pages ? count * 7919 % pages : 0;

		if (read(in, line, 8) != 8 || strtoull(line, NULL, 10) != count)
			fault = "in";
		give(there[1], count);
		if (take(back[0]) != count + 1)
			fault = "pipe";
		if (tcp >= 0) {
			give(tcp, count);
			if (take(tcp) != count + 2)
				fault = "tcp";
		}
		if (pages && *(uint64_t *)(memory + page * PAGE + 8) != page * 2654435761u + 8)
			fault = "memory";
		if (pages)
			*(uint64_t *)(memory + page * PAGE) = count;
		dprintf(out, "%llu %s\n", (unsigned long long)count, fault);
		usleep(20000);
	}
}
