// A container runtime in forty lines: node runtime.mjs ROOTFS PROGRAM [ARGUMENT …]
import { announceExec, bootstrap, execProgram, findProgram, linkUp, setHostname, setSession } from '@libcontainer/init'
import { defaultMounts, mountSteps, pivotSteps, prepareRootSteps } from '@libcontainer/mount'
import { planNamespaces } from '@libcontainer/namespaces'
import { slot, waitExit } from '@libcontainer/sys'

const [rootfs, ...args] = process.argv.slice(2)
const path = '/usr/bin:/bin:/usr/sbin:/sbin'
const root = slot('root')
const mounts = defaultMounts.filter(({ type }) => type !== 'cgroup')
const { cloneFlags } = planNamespaces({ namespaces: ['mnt', 'pid', 'ipc', 'uts', 'net'].map(kind => ({ kind })) })

// A step of our own: any operation of init, with our words for what it is and what helps when the kernel refuses it.
const everybodyMayPing = {
  op: 'writeSysctl',
  args: ['net/ipv4/ping_group_range', '0 2147483647'],
  about: 'let every group send pings',
  hints: { ENOENT: 'this kernel has no ICMP sockets for ordinary users' },
}

const { pidfd } = await bootstrap({
  cloneFlags,
  stdio: [0, 1, 2],
  steps: [
    setSession,
    ...prepareRootSteps(rootfs),
    ...mountSteps(mounts, { root, pidns: true }),
    ...pivotSteps(root),
    setHostname('forty-lines'),
    linkUp('lo'),
    everybodyMayPing,
    findProgram(args[0], path),
    announceExec,
    execProgram(args, [`PATH=${path}`]),
  ],
})
const { code, signal } = await waitExit(pidfd)
pidfd.close()
process.exitCode = code ?? 128 + signal
