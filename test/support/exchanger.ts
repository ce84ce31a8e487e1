import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from './running.js'

/** Does a thing and takes it back until nobody reads its standard output any more, and counts in a file how often. */
const source = `
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

static int exchange(const char *a, const char *b)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2 /* RENAME_EXCHANGE */);
}

static int cover(const char *a, const char *b)
{
	return mount(a, b, NULL, MS_BIND, NULL) < 0 || umount2(b, MNT_DETACH) < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
	int (*act)(const char *, const char *) = strcmp(argv[1], "cover") == 0 ? cover : exchange;
	int file = argc < 5 ? -1 : open(argv[4], O_RDWR);
	uint64_t *count = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	struct pollfd reader = { .fd = 1 };

	if (count == MAP_FAILED)
		return 2;
	while (*count % 256 != 0 || poll(&reader, 1, 0) == 0) {
		if (act(argv[2], argv[3]) < 0) {
			perror(argv[1]);
			return 1;
		}
		++*count;
	}
	return 0;
}`

/** Compiles the racing process into a directory, which also holds its counters. */
export function compileExchanger(directory: string): string {
  const path = join(directory, 'exchanger')
  execFileSync('gcc', ['-O1', '-x', 'c', '-o', path, '-'], { input: source })
  return path
}

export interface RaceOptions {
  /** `exchange` gives two files each other's name, `cover` binds the first over the second and takes it away. Default: `exchange` */
  act?: 'exchange' | 'cover'
  /** How often it does so at least. Default: 10 000 */
  times?: number
  /** How often `attempt` is called at least. Default: 1000 */
  attempts?: number
}

/**
 * Does something again and again beside a process that exchanges `a` and `b` all the time, until it has done so 10 000 times and the
 * attempts were enough, too: either may be the slower one.
 *
 * @param attempt - answers `false` to end the race: it has seen what it wanted
 * @returns how often `attempt` was called, and how often the other was quicker
 */
export async function race(
  program: string,
  [a, b]: readonly [a: string, b: string],
  attempt: () => Promise<unknown> | unknown,
  { act = 'exchange', times = 10_000, attempts: enough = 1000 }: RaceOptions = {},
): Promise<{ attempts: number; exchanges: number }> {
  const counter = `${program}.${counters++}`
  writeFileSync(counter, new Uint8Array(8))
  const count = (): number => Number(readFileSync(counter).readBigUInt64LE())
  const other = spawn(program, [act, a, b, counter], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(other, 'exit')
  let attempts = 0
  try {
    await until('an exchange', () => running(other) && count() > 0)
    while (attempts < enough || count() < times) {
      running(other)
      attempts++
      if ((await attempt()) === false) break
    }
    return { attempts, exchanges: count() }
  } finally {
    // Ends between two exchanges, so that nothing stays covered.
    other.stdout.destroy()
    await ended
  }
}

let counters = 0

function running({ exitCode, signalCode }: ChildProcess): true {
  if (exitCode === null && signalCode === null) return true
  throw new Error(`the racing process has ended: ${exitCode ?? signalCode}`)
}
