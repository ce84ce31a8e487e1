import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

/** Pushes a line into its standard streams and its controlling terminal (TIOCSTI), and prints how many characters each took. */
const source = `
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
int main(void)
{
	int fds[] = { 0, 1, 2, open("/dev/tty", O_RDWR) }, taken[4] = { 0 };
	for (int i = 0; i < 4; i++)
		for (const char *c = "push!\\n"; *c; c++)
			taken[i] += ioctl(fds[i], TIOCSTI, c) == 0;
	printf("pushed %d %d %d %d\\n", taken[0], taken[1], taken[2], taken[3]);
	return 0;
}`

/** Compiles `pusher` into a directory: what a hostile program would do to the terminal of whoever has started it. */
export function compilePusher(directory: string): string {
  const path = join(directory, 'pusher')
  execFileSync('gcc', ['-static', '-x', 'c', '-o', path, '-'], { input: source })
  return path
}
