/*
 * A program that holds what CRIU takes only when it is told to: held [WHAT VALUE]...
 *
 *   lock FILE     a lock of the whole file
 *   links FILE    a file that has lost the name by which it was opened, and has another, FILE.other
 *   tell SOCKET   a datagram socket of UNIX, connected to that of somebody else, who is told of each round
 *   echo PORT     a connection of TCP, on which each byte is sent back
 *   queue PORT    a listener of TCP that accepts nobody
 *   memory MIB    memory, each page with a value of its own
 *
 * Each round it looks whether it still holds all, changes a page, and prints the round's number, or what is not as it should be. `held hear SOCKET` is
 * the somebody else: it prints what it is told.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define PAGE 4096

static void fail(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

static struct sockaddr_un named(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	return at;
}

static _Noreturn void hear(const char *path)
{
	struct sockaddr_un at = named(path);
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char text[32];

	unlink(path);
	if (bind(fd, (void *)&at, sizeof(at)) < 0)
		fail("bind");
	for (;;) {
		ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

		if (n < 0)
			fail("recv");
		text[n] = 0;
		puts(text);
	}
}

static int listener(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (void *)&at, sizeof(at)) < 0 || listen(fd, 4) < 0)
		fail("listen");
	return fd;
}

int main(int argc, char **argv)
{
	const char *lock = NULL, *links = NULL;
	int lock_fd = -1, links_fd = -1, tell_fd = -1, echo_fd = -1, peer = -1;
	uint64_t *memory = NULL;
	size_t pages = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 1; i + 1 < argc; i += 2) {
		const char *what = argv[i], *value = argv[i + 1];

		if (!strcmp(what, "hear")) {
			hear(value);
		} else if (!strcmp(what, "lock")) {
			lock = value;
			lock_fd = open(lock, O_RDWR | O_CREAT, 0600);
			if (flock(lock_fd, LOCK_EX | LOCK_NB) < 0)
				fail("lock");
		} else if (!strcmp(what, "links")) {
			char other[256];

			links = value;
			snprintf(other, sizeof(other), "%s.other", links);
			links_fd = open(links, O_RDWR | O_CREAT, 0600);
			if (links_fd < 0 || link(links, other) < 0 || unlink(links) < 0)
				fail("links");
		} else if (!strcmp(what, "tell")) {
			struct sockaddr_un at = named(value);

			tell_fd = socket(AF_UNIX, SOCK_DGRAM, 0);
			if (connect(tell_fd, (void *)&at, sizeof(at)) < 0)
				fail("connect");
		} else if (!strcmp(what, "echo")) {
			echo_fd = listener(atoi(value));
		} else if (!strcmp(what, "queue")) {
			listener(atoi(value));
		} else if (!strcmp(what, "memory")) {
			pages = (size_t)atoi(value) * 256;
			memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			for (size_t j = 0; j < pages; j++)
				memory[j * PAGE / sizeof(*memory)] = j + 1;
		} else {
			errno = EINVAL;
			fail(what);
		}
	}
	for (unsigned round = 1;; round++) {
		char text[32];
		const char *wrong = NULL;

		snprintf(text, sizeof(text), "%u", round);
		if (lock) {
			int again = open(lock, O_RDWR);

			if (flock(again, LOCK_EX | LOCK_NB) == 0)
				wrong = "the lock is lost";
			close(again);
		}
		if (links) {
			struct stat file;

			if (pwrite(links_fd, text, strlen(text), 0) < 0 || fstat(links_fd, &file) < 0 || file.st_nlink != 1)
				wrong = "the file has not its one other name";
		}
		if (tell_fd >= 0 && send(tell_fd, text, strlen(text), 0) < 0)
			wrong = "nobody hears";
		if (echo_fd >= 0) {
			char byte;
			ssize_t n;

			if (peer < 0)
				peer = accept4(echo_fd, NULL, NULL, SOCK_NONBLOCK);
			while (peer >= 0 && (n = recv(peer, &byte, 1, 0)) >= 0) {
				if (n == 0 || send(peer, &byte, 1, MSG_NOSIGNAL) < 0) {
					close(peer);
					peer = -1;
				}
			}
			if (peer >= 0 && errno != EAGAIN) {
				close(peer);
				peer = -1;
				puts("the connection is lost");
			}
		}
		for (size_t j = 0; j < pages; j++)
			if (memory[j * PAGE / sizeof(*memory)] != j + 1)
				wrong = "a page has changed";
		puts(wrong ? wrong : text);
		usleep(50000);
	}
}
