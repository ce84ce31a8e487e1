// Opens a shell in the namespaces of another process: node enter.mjs PID [PROGRAM [ARGUMENT …]]
import { announceExec, bootstrap, execProgram, findProgram, secondClone } from '@libcontainer/init'
import { joinTarget, planProcessJoin } from '@libcontainer/namespaces'
import { slot, waitExit } from '@libcontainer/sys'

const [pid, ...command] = process.argv.slice(2)
const args = command.length > 0 ? command : ['/bin/sh']
const target = await joinTarget(Number(pid))
const join = planProcessJoin(slot('target'), target.kinds)
const path = '/usr/bin:/bin:/usr/sbin:/sbin'
const { pidfd } = await bootstrap({
  stdio: [0, 1, 2],
  handed: { target: target.pidfd.fd },
  steps: [
    ...join.steps,
    ...(join.needsSecondClone ? [secondClone] : []),
    findProgram(args[0], path),
    announceExec,
    execProgram(args, [`PATH=${path}`]),
  ],
})
target.pidfd.close()
const { code, signal } = await waitExit(pidfd)
pidfd.close()
process.exitCode = code ?? 128 + signal
