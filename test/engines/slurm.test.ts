import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { busyboxRootfs, requires } from '../support/index.js'
import { processes } from './machine.js'
import { Node } from './nodes.js'
import { type Answer, lines, Part, until } from './part.js'

const needs = requires('root', 'rootfs', 'program:slurmctld', 'program:slurmd', 'program:srun', 'program:munged')

const slurmConf = (nodes: readonly Node[], socket: string): string => `ClusterName=test
SlurmctldHost=${nodes[0]!.name}(${nodes[0]!.address})
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=${socket}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/linear
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
StateSaveLocation=/var/lib/slurm/slurmctld
SlurmdSpoolDir=/var/lib/slurm/slurmd
SlurmctldPidFile=/run/slurmctld.pid
SlurmdPidFile=/run/slurmd.pid
KillWait=2
UnkillableStepTimeout=10
${nodes.map(({ name, address }) => `NodeName=${name} NodeAddr=${address} NodeHostname=${name} CPUs=1 RealMemory=100`).join('\n')}
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`

/** The lines of oci.conf that both ways of starting need. */
const common = (runtime: string): string => `RunTimeQuery="${runtime} state %n.%u.%j.%s.%t"
RunTimeKill="${runtime} kill -a %n.%u.%j.%s.%t"
RunTimeDelete="${runtime} delete --force %n.%u.%j.%s.%t"
`

const byRun = (runtime: string): string => `${common(runtime)}RunTimeRun="${runtime} run %n.%u.%j.%s.%t -b %b"\n`

/**
 * Slurm reads what `create` writes up to its end, and the container has these very streams: with any runtime it waits for the container's end before
 * it starts it. So the output goes elsewhere.
 */
const byCreate = (
  runtime: string,
  output: string,
): string => `${common(runtime)}RunTimeCreate="${runtime} create %n.%u.%j.%s.%t -b %b > ${output}.%n 2>&1 < /dev/null"
RunTimeStart="${runtime} start %n.%u.%j.%s.%t"
`

interface Config {
  root: { readonly: boolean }
  hostname?: string
  linux: { namespaces: { type: string }[] }
}

const isNoDevice = (path: string): boolean => !path.startsWith(join(busyboxRootfs(), 'dev/'))

describe('OL-23 Slurm on three nodes', needs, () => {
  let part: Part
  let nodes: Node[] = []
  let bundle = ''
  let daemons: ChildProcess[] = []

  const srun = (...args: string[]): Answer => nodes[0]!.try(['srun', '-N3', '-n3', `--container=${bundle}`, ...args])
  const told = (): string =>
    [...nodes.map(({ name }) => `${name}-slurmd`), 'node1-slurmctld'].map(name => part.log(name)).join('\n')

  /** Starts Slurm with this oci.conf. */
  async function start(oci: string): Promise<void> {
    writeFileSync('/etc/slurm/oci.conf', oci)
    for (const daemon of daemons.reverse()) await part.stop(daemon)
    daemons = [nodes[0]!.daemon('slurmctld', ['slurmctld', '-D', '-c'])]
    await nodes[0]!.ready('slurmctld', ['scontrol', 'ping'])
    for (const node of nodes) daemons.push(node.daemon('slurmd', ['slurmd', '-D', '-N', node.name]))
    await until('three nodes are idle', () => nodes[0]!.run(['sinfo', '-h', '-o', '%T %D']) === 'idle 3', told)
  }

  beforeAll(async () => {
    part = new Part('slurm', { cgroups: [] })
    nodes = await Node.several(part, 3)
    const key = join(part.path, 'munge.key')
    writeFileSync(key, randomBytes(1024), { mode: 0o400 })
    const socket = join(part.path, 'munge.socket')
    const files = { 'key-file': key, 'log-file': 'munged.log', 'pid-file': 'munged.pid', 'seed-file': 'munged.seed' }
    const flags = Object.entries(files).map(([flag, file]) => `--${flag}=${join(part.path, file.split('/').at(-1)!)}`)
    part.daemon('munged', ['munged', '--foreground', '--force', `--socket=${socket}`, ...flags])
    await until(
      'munged answers',
      () => part.try(['munge', '-n', '-S', socket]).status === 0,
      () => part.log('munged'),
    )
    mkdirSync('/etc/slurm', { recursive: true })
    writeFileSync('/etc/slurm/slurm.conf', slurmConf(nodes, socket))
    writeFileSync('/etc/slurm/cgroup.conf', 'CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n')
    for (const node of nodes) node.run(['mkdir', '-p', '/var/lib/slurm/slurmctld', '/var/lib/slurm/slurmd'])

    bundle = join(part.path, 'bundle')
    mkdirSync(bundle)
    // Slurm takes the root filesystem to be beside config.json, whatever that says.
    cpSync(busyboxRootfs(), join(bundle, 'rootfs'), { recursive: true, verbatimSymlinks: true, filter: isNoDevice })
    part.run(['sh', '-c', `cd ${bundle} && exec ${part.runtime} spec`])
    const file = join(bundle, 'config.json')
    const config = JSON.parse(readFileSync(file, 'utf8')) as Config
    config.root.readonly = true
    // So that a task can tell where it is.
    config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'uts')
    delete config.hostname
    writeFileSync(file, JSON.stringify(config))
  })

  afterAll(async () => {
    const version = nodes[0]!.run(['slurmd', '-V'])
    for (const daemon of daemons.reverse()) await part.stop(daemon)
    Node.endAll(part, nodes)
    expect(await part.end(version)).toEqual([])
  })

  const script = 'echo $(hostname) $$ $(readlink /bin/sh)'
  const expected = ['node1 1 busybox', 'node2 1 busybox', 'node3 1 busybox']

  test('RunTimeRun: a task in a container on each node, and its exit code', async () => {
    await start(byRun(part.runtime))
    const { status, stdout, stderr } = srun('sh', '-c', script)
    expect({ status, lines: lines(stdout).sort() }, `${stderr}\n${told()}`).toEqual({ status: 0, lines: expected })
    expect(part.calls('run')).toHaveLength(3)
    expect(srun('sh', '-c', 'exit 3').status).toBe(3)
  })

  test('RunTimeRun: a job that is cancelled leaves no container', async () => {
    const stays = 'trap "exit 0" TERM; while :; do sleep 0.2; done'
    const job = nodes[0]!.daemon('srun', ['srun', '-N3', '-n3', `--container=${bundle}`, 'sh', '-c', stays])
    const running = (): number => processes().filter(({ command }) => command === `sh -c ${stays}`).length
    await until('it runs on three nodes', () => running() === 3, told)
    nodes[0]!.run(['scancel', '--user=root'])
    await until('it is gone', () => running() === 0, told)
    await until('the job ended', () => nodes[0]!.run(['squeue', '-h']) === '', told)
    await part.stop(job)
  })

  test('RunTimeCreate and RunTimeStart', async () => {
    const output = join(part.path, 'output')
    await start(byCreate(part.runtime, output))
    const { status, stderr } = srun('sh', '-c', script)
    expect(status, `${stderr}\n${told()}`).toBe(0)
    expect(nodes.map(({ name }) => readFileSync(`${output}.${name}`, 'utf8').trim())).toEqual(expected)
    expect(part.calls('create')).toHaveLength(3)
  })
})
