/* SPDX-License-Identifier: Apache-2.0 */
/* Pseudo-terminals: made in the container's own devpts by init, or in the host's; sizes, modes, and the controlling terminal. */
#include "ops.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/openat2.h>

#include "../../sys/native/decimal.h"
#include "../../sys/native/path.h"

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif
#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

/* <asm/termbits.h> has it too, but not beside libc's <termios.h>. The layout is that of x86-64, arm64 and the other generic ones. */
struct termios2_bytes {
	uint32_t flags[4];	/* c_iflag, c_oflag, c_cflag, c_lflag */
	uint8_t line, cc[19];
	uint32_t ispeed, ospeed;
};

#define LC_TCGETS2 _IOR('T', 0x2a, struct termios2_bytes)
#define LC_TCSETS2 _IOW('T', 0x2b, struct termios2_bytes)

/* Numbers that devpts gives: Documentation/admin-guide/devices.txt, Documentation/filesystems/devpts.rst. */
#define PTMX_INODE 2
#define PTMX_DEVICE makedev(5, 2)
#define SLAVE_MAJOR 136

static int64_t closed(int fd, int64_t result)
{
	close(fd);
	return result;
}

static int64_t is_devpts(struct lc_ctx *c, int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return lc_fail(c, "fstatfs");
	if (fs.f_type == DEVPTS_SUPER_MAGIC)
		return 0;
	lc_detail(c, "it is on no devpts file system");
	return lc_refuse(c, "fstatfs", EXDEV);
}

/*
 * Opens a file that lies directly on the devpts of this root. Only a devpts directory is opened by a path of the image; in it there is
 * nothing but ptmx and slaves, and what was put on top of one (a bind mount, a link elsewhere) is refused.
 */
static int64_t open_in_devpts(struct lc_ctx *c, int root, const char *name)
{
	struct open_how how = {
		.flags = O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	int64_t result;
	int pts = lc_open_in_root(c, root, "dev/pts", O_PATH | O_DIRECTORY);
	int fd;

	if (pts < 0)
		return pts;
	result = is_devpts(c, pts);
	if (result < 0)
		return closed(pts, result);
	fd = (int)syscall(SYS_openat2, pts, name, &how, sizeof(how));
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = openat(pts, name, O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return closed(pts, lc_fail(c, "openat2"));
	close(pts);
	result = is_devpts(c, fd);
	return result < 0 ? closed(fd, result) : fd;
}

static int64_t unlock(struct lc_ctx *c, int master)
{
	int locked = 0;

	return ioctl(master, TIOCSPTLCK, &locked) < 0 ? lc_fail(c, "ioctl(TIOCSPTLCK)") : 0;
}

/* openConsole(root): the master of a new pty of the container's own /dev/pts, unlocked. */
static int64_t op_open_console(struct lc_ctx *c, const union lc_arg *a)
{
	int64_t master = open_in_devpts(c, (int)a[0].i, "ptmx");
	struct stat st;
	int64_t result;

	if (master < 0)
		return master;
	if (fstat((int)master, &st) < 0)
		return closed((int)master, lc_fail(c, "fstat"));
	if (!S_ISCHR(st.st_mode) || st.st_rdev != PTMX_DEVICE || st.st_ino != PTMX_INODE) {
		lc_detail(c, "/dev/pts/ptmx is not the multiplexer (character device 5:2)");
		return closed((int)master, lc_refuse(c, "fstat", EXDEV));
	}
	result = unlock(c, (int)master);
	return result < 0 ? closed((int)master, result) : master;
}

/* openConsolePeer(master): its slave, without any path. */
static int64_t op_open_console_peer(struct lc_ctx *c, const union lc_arg *a)
{
	int fd = ioctl((int)a[0].i, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ? lc_fail(c, "ioctl(TIOCGPTPEER)") : fd;
}

static int64_t pty_number(struct lc_ctx *c, int master, unsigned int *number)
{
	return ioctl(master, TIOCGPTN, number) < 0 ? lc_fail(c, "ioctl(TIOCGPTN)") : 0;
}

/* openConsolePeerByName(root, master): the same where a filter around us refuses TIOCGPTPEER: /dev/pts/N of a verified devpts. */
static int64_t op_open_console_peer_by_name(struct lc_ctx *c, const union lc_arg *a)
{
	unsigned int number = 0;
	char name[LC_DECIMAL_SIZE];
	struct stat st;
	int64_t fd = pty_number(c, (int)a[1].i, &number);

	if (fd < 0)
		return fd;
	lc_decimal(name, number);
	fd = open_in_devpts(c, (int)a[0].i, name);
	if (fd < 0)
		return fd;
	if (fstat((int)fd, &st) < 0)
		return closed((int)fd, lc_fail(c, "fstat"));
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(SLAVE_MAJOR, number)) {
		lc_detail(c, "not the slave of this master");
		return closed((int)fd, lc_refuse(c, "fstat", EXDEV));
	}
	return fd;
}

/* openPty(): the master of a new pty of this mount namespace's /dev/ptmx, unlocked. */
static int64_t op_open_pty(struct lc_ctx *c, const union lc_arg *a)
{
	int fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	int64_t result;

	(void)a;
	if (fd < 0)
		return lc_fail(c, "open");
	result = unlock(c, fd);
	return result < 0 ? closed(fd, result) : fd;
}

static int64_t op_pty_number(struct lc_ctx *c, const union lc_arg *a)
{
	unsigned int number;
	int64_t result = pty_number(c, (int)a[0].i, &number);

	return result < 0 ? result : (int64_t)number;
}

/* openTerminal(path): a terminal, which does not become the controlling one. */
static int64_t op_open_terminal(struct lc_ctx *c, const union lc_arg *a)
{
	struct termios2_bytes t;
	int fd = open(a[0].s, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return lc_fail(c, "open");
	if (ioctl(fd, LC_TCGETS2, &t) < 0)
		return closed(fd, lc_fail(c, "ioctl(TCGETS2)"));
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) < 0)
		return closed(fd, lc_fail(c, "fcntl(F_SETFL)"));
	return fd;
}

/* The file that the console is mounted on, never through a link: one in the image would have it made, or covered, elsewhere. */
static int64_t console_file(struct lc_ctx *c, int root)
{
	int fd = lc_open_in_root(c, root, "dev/console", O_PATH | O_NOFOLLOW);
	struct stat st;

	/* O_EXCL: what appears in between is not ours to follow. */
	if (fd == -ENOENT)
		return lc_create_in_root(c, root, "dev/console", O_WRONLY | O_EXCL | O_NOFOLLOW | O_NOCTTY, 0600);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return closed(fd, lc_fail(c, "fstat"));
	if (S_ISLNK(st.st_mode)) {
		lc_detail(c, "/dev/console of the root filesystem is a symbolic link");
		return closed(fd, lc_refuse(c, "openat2", ELOOP));
	}
	if (S_ISDIR(st.st_mode))
		return closed(fd, lc_refuse(c, "openat2", EISDIR));
	return fd;
}

/* bindConsole(root, slave): mounts the slave on /dev/console, descriptor on descriptor. */
static int64_t op_bind_console(struct lc_ctx *c, const union lc_arg *a)
{
	int64_t target = console_file(c, (int)a[0].i);
	int64_t result = 0;
	int tree;

	if (target < 0)
		return target;
	tree = (int)syscall(SYS_open_tree, (int)a[1].i, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return closed((int)target, lc_fail(c, "open_tree"));
	if (syscall(SYS_move_mount, tree, "", (int)target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		result = lc_fail(c, "move_mount");
	close(tree);
	return closed((int)target, result);
}

static int64_t op_set_window_size(struct lc_ctx *c, const union lc_arg *a)
{
	struct winsize size = {
		.ws_row = (unsigned short)a[1].i, .ws_col = (unsigned short)a[2].i,
		.ws_xpixel = (unsigned short)a[3].i, .ws_ypixel = (unsigned short)a[4].i,
	};

	return ioctl((int)a[0].i, TIOCSWINSZ, &size) < 0 ? lc_fail(c, "ioctl(TIOCSWINSZ)") : 0;
}

/* getWindowSize(fd, u16[4]): rows, columns, and the size in pixels across and down. */
static int64_t op_get_window_size(struct lc_ctx *c, const union lc_arg *a)
{
	struct winsize size;

	if (a[1].b.size < sizeof(size))
		return lc_refuse(c, "ioctl(TIOCGWINSZ)", EINVAL);
	if (ioctl((int)a[0].i, TIOCGWINSZ, &size) < 0)
		return lc_fail(c, "ioctl(TIOCGWINSZ)");
	memcpy(a[1].b.at, &size, sizeof(size));
	return 0;
}

/* getTermios(fd, bytes[44]): struct termios2. ENOTTY: no terminal. */
static int64_t op_get_termios(struct lc_ctx *c, const union lc_arg *a)
{
	if (a[1].b.size < sizeof(struct termios2_bytes))
		return lc_refuse(c, "ioctl(TCGETS2)", EINVAL);
	return ioctl((int)a[0].i, LC_TCGETS2, a[1].b.at) < 0 ? lc_fail(c, "ioctl(TCGETS2)") : 0;
}

/* setTermios(fd, when, bytes[44]): `when` is 0 now, 1 once the output is written, 2 the same and unread input dropped. */
static int64_t op_set_termios(struct lc_ctx *c, const union lc_arg *a)
{
	if (a[2].b.size < sizeof(struct termios2_bytes) || a[1].i < 0 || a[1].i > 2)
		return lc_refuse(c, "ioctl(TCSETS2)", EINVAL);
	/* TCSETSW2 and TCSETSF2 are the next two numbers. */
	return ioctl((int)a[0].i, LC_TCSETS2 + (unsigned long)a[1].i, a[2].b.at) < 0 ? lc_fail(c, "ioctl(TCSETS2)") : 0;
}

/* clearOnlcr(fd): a newline that is written stays one byte. */
static int64_t op_clear_onlcr(struct lc_ctx *c, const union lc_arg *a)
{
	struct termios2_bytes t;

	if (ioctl((int)a[0].i, LC_TCGETS2, &t) < 0)
		return lc_fail(c, "ioctl(TCGETS2)");
	t.flags[1] &= ~4u;
	return ioctl((int)a[0].i, LC_TCSETS2, &t) < 0 ? lc_fail(c, "ioctl(TCSETS2)") : 0;
}

/* setTerminalOwner(fd, uid): the group stays that of devpts (gid=5), through which write(1) and its like may reach the terminal. */
static int64_t op_set_terminal_owner(struct lc_ctx *c, const union lc_arg *a)
{
	return fchown((int)a[0].i, (uid_t)a[1].i, (gid_t)-1) < 0 ? lc_fail(c, "fchown") : 0;
}

/* secureTerminal(fd, mode, uid, gid): mode first, while it is still ours. */
static int64_t op_secure_terminal(struct lc_ctx *c, const union lc_arg *a)
{
	if (fchmod((int)a[0].i, (mode_t)a[1].i) < 0)
		return lc_fail(c, "fchmod");
	return fchown((int)a[0].i, (uid_t)a[2].i, (gid_t)a[3].i) < 0 ? lc_fail(c, "fchown") : 0;
}

/* readTerminal(fd, buffer): what is there; EIO: every slave is closed, and all that they wrote was read. */
static int64_t op_read_terminal(struct lc_ctx *c, const union lc_arg *a)
{
	ssize_t got;

	do
		got = read((int)a[0].i, a[1].b.at, a[1].b.size);
	while (got < 0 && errno == EINTR);
	return got < 0 ? lc_fail(c, "read") : got;
}

/* writeTerminal(fd, bytes): how many went; a part where the rest would have to wait. */
static int64_t op_write_terminal(struct lc_ctx *c, const union lc_arg *a)
{
	ssize_t put;

	do
		put = write((int)a[0].i, a[1].b.at, a[1].b.size);
	while (put < 0 && errno == EINTR);
	return put < 0 ? lc_fail(c, "write") : put;
}

/* neverWait(fd): O_NONBLOCK, for a master that is ours alone: the flag belongs to all who share the open file. */
static int64_t op_never_wait(struct lc_ctx *c, const union lc_arg *a)
{
	int flags = fcntl((int)a[0].i, F_GETFL);

	if (flags < 0 || fcntl((int)a[0].i, F_SETFL, flags | O_NONBLOCK) < 0)
		return lc_fail(c, "fcntl");
	return 0;
}

static int64_t standard_streams(struct lc_ctx *c, int fd)
{
	for (int i = 0; i < 3; i++) {
		/* dup3 of a descriptor onto itself is EINVAL, and would leave it close-on-exec. */
		int result = i == fd ? fcntl(fd, F_SETFD, 0) : dup3(fd, i, 0);

		if (result < 0)
			return lc_fail(c, i == fd ? "fcntl(F_SETFD)" : "dup3");
	}
	return 0;
}

/* useTerminal(slave): the controlling terminal of this session, whose leader this process is, and its standard streams. */
static int64_t op_use_terminal(struct lc_ctx *c, const union lc_arg *a)
{
	if (ioctl((int)a[0].i, TIOCSCTTY, 0) < 0)
		return lc_fail(c, "ioctl(TIOCSCTTY)");
	return standard_streams(c, (int)a[0].i);
}

/* useStandardStreams(fd): descriptors 0 to 2, kept over exec. */
static int64_t op_use_standard_streams(struct lc_ctx *c, const union lc_arg *a)
{
	return standard_streams(c, (int)a[0].i);
}

const struct lc_op lc_console_ops[] = {
	{ "openConsole", "i", op_open_console, 0 },
	{ "openConsolePeer", "i", op_open_console_peer, 0 },
	{ "openConsolePeerByName", "ii", op_open_console_peer_by_name, 0 },
	{ "openPty", "", op_open_pty, 0 },
	{ "ptyNumber", "i", op_pty_number, 0 },
	{ "openTerminal", "s", op_open_terminal, 0 },
	{ "bindConsole", "ii", op_bind_console, 0 },
	{ "setWindowSize", "iiiii", op_set_window_size, 0 },
	{ "getWindowSize", "ib", op_get_window_size, 0 },
	{ "getTermios", "ib", op_get_termios, 0 },
	{ "setTermios", "iib", op_set_termios, 0 },
	{ "clearOnlcr", "i", op_clear_onlcr, 0 },
	{ "setTerminalOwner", "ii", op_set_terminal_owner, 0 },
	{ "secureTerminal", "iiii", op_secure_terminal, 0 },
	{ "readTerminal", "ib", op_read_terminal, 0 },
	{ "writeTerminal", "ib", op_write_terminal, 0 },
	{ "neverWait", "i", op_never_wait, 0 },
	{ "useTerminal", "i", op_use_terminal, 0 },
	{ "useStandardStreams", "i", op_use_standard_streams, 0 },
	{ 0 },
};
