/*
 * Calls that an older system call carries: socketcall(2) and ipc(2) have the real call's number as their first
 * argument, on x86, mips, ppc, s390, m68k and sh. linux/net.h and linux/ipc.h.
 */

const SOCKET_CALLS =
  'socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom shutdown setsockopt ' +
  'getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg'

const IPC_CALLS: Readonly<Record<string, number>> = {
  semop: 1,
  semget: 2,
  semctl: 3,
  semtimedop: 4,
  msgsnd: 11,
  msgrcv: 12,
  msgget: 13,
  msgctl: 14,
  shmat: 21,
  shmdt: 22,
  shmget: 23,
  shmctl: 24,
}

/** The multiplexer that can carry a call, and the number that it has there. */
export interface Carrier {
  readonly via: 'socketcall' | 'ipc'
  readonly call: number
}

const carriers = new Map<string, Carrier>()
SOCKET_CALLS.split(' ').forEach((name, i) => {
  carriers.set(name, { via: 'socketcall', call: i + 1 })
})
for (const [name, call] of Object.entries(IPC_CALLS)) carriers.set(name, { via: 'ipc', call })

export function carrierOf(name: string): Carrier | undefined {
  return carriers.get(name)
}
