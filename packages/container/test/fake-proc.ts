import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** What a process would write its label to, were these the kernel's. */
const FAKES = ['self', 'thread-self'].flatMap(task =>
  ['exec', 'current', 'keycreate', 'apparmor/exec', 'apparmor/current'].map(file => `${task}/attr/${file}`),
)

/** Makes a directory look like /proc to who writes labels there. */
export function fakeProc(root: string): void {
  for (const file of FAKES) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), 'fake')
  }
}

/** What of it was written to. */
export const written = (root: string): string[] =>
  FAKES.filter(file => readFileSync(join(root, file), 'utf8') !== 'fake')

/** Mounts a directory over the /proc of a container, and takes it away, again and again, until it is disposed. */
export async function mountingOverProc(pid: number, fake: string): Promise<AsyncDisposable> {
  const script = `echo begun; while :; do mount --bind ${fake} /proc; umount /proc; done`
  // The tools are the host's own: what is confined may not mount.
  const racer: ChildProcess = spawn('nsenter', ['--target', String(pid), '--mount', '/bin/sh', '-c', script], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const ended = once(racer, 'close')
  await Promise.race([once(racer.stdout!, 'data'), ended])
  return {
    async [Symbol.asyncDispose]() {
      racer.kill('SIGKILL')
      await ended
    },
  }
}
