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

const carried = {
  socketcall: new Map(SOCKET_CALLS.split(' ').map((name, i) => [name, i + 1])),
  ipc: new Map(Object.entries(IPC_CALLS)),
}

/** The system calls that carry others. */
export const carriers = ['socketcall', 'ipc'] as const
export type Carrier = (typeof carriers)[number]

export function isCarrier(name: string): name is Carrier {
  return name === 'socketcall' || name === 'ipc'
}

/** The calls that a system call carries, by their numbers there. */
export function carriedBy(name: Carrier): ReadonlyMap<string, number> {
  return carried[name]
}
