import type { ChildProcess } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requires } from '../support/index.js'
import { dockerSettings } from './docker.js'
import { IMAGE, imageArchive } from './image.js'
import { Node } from './nodes.js'
import { lines, Part, until } from './part.js'

const needs = requires('root', 'rootfs', 'program:dockerd', 'program:docker', 'program:nsenter')

describe('OL-23 docker swarm on three nodes', needs, () => {
  let part: Part
  let nodes: Node[] = []
  const daemons = new Map<Node, ChildProcess>()
  let archive = ''

  async function start(node: Node): Promise<void> {
    daemons.set(node, node.daemon('dockerd', ['dockerd']))
    await node.ready('dockerd', ['docker', 'version'])
  }
  const manager = (...args: string[]): string => nodes[0]!.run(['docker', ...args])
  /** The names of the nodes on which tasks of the service run, as the manager knows it. */
  const placed = (): string[] =>
    lines(manager('service', 'ps', '--format', '{{.Node}} {{.CurrentState}}', '-f', 'desired-state=running', 'web'))
      .filter(line => line.includes(' Running'))
      .map(line => line.split(' ')[0]!)
      .sort()
  /** The containers on a node, as that knows them. */
  const containers = (node: Node, ...flags: string[]): string[] => lines(node.run(['docker', 'ps', '-q', ...flags]))
  const told = (): string => `${manager('service', 'ps', '--no-trunc', 'web')}\n${manager('node', 'ls')}`

  beforeAll(async () => {
    part = new Part('swarm', { cgroups: ['docker'] })
    nodes = await Node.several(part, 3)
    mkdirSync('/etc/docker', { recursive: true })
    const more = { iptables: false, bridge: 'none' }
    writeFileSync('/etc/docker/daemon.json', JSON.stringify({ ...dockerSettings(part.runtime), ...more }))
    archive = imageArchive(part.path)
    await Promise.all(nodes.map(start))
    for (const node of nodes) node.run(['docker', 'load', '-q', '-i', archive])
    const [first, ...others] = nodes
    // Told within seconds that a node is gone.
    const flags = ['--advertise-addr', first!.address, '--listen-addr', first!.address, '--dispatcher-heartbeat', '1s']
    first!.run(['docker', 'swarm', 'init', ...flags])
    const token = manager('swarm', 'join-token', '-q', 'worker')
    for (const node of others) {
      const own = ['--advertise-addr', node.address, '--listen-addr', node.address]
      node.run(['docker', 'swarm', 'join', '--token', token, ...own, `${first!.address}:2377`])
    }
  })

  afterAll(async () => {
    for (const node of nodes) {
      for (const id of containers(node, '-a')) node.try(['docker', 'rm', '-f', id])
      node.try(['docker', 'swarm', 'leave', '--force'])
    }
    const version = manager('--version')
    for (const daemon of daemons.values()) await part.stop(daemon)
    Node.endAll(part, nodes)
    expect(await part.end(version)).toEqual([])
  })

  test('a service runs on all three', async () => {
    const flags = ['--detach', '--name', 'web', '--replicas', '3', '--network', 'host', '--no-resolve-image']
    const script = 'trap "exit 0" TERM; while :; do sleep 0.2; done'
    manager(
      'service',
      'create',
      ...flags,
      '--restart-delay',
      '0s',
      '--update-parallelism',
      '0',
      IMAGE,
      'sh',
      '-c',
      script,
    )
    await until('it runs on three nodes', () => placed().join(' ') === 'node1 node2 node3', told, 40_000)
    for (const node of nodes) {
      const [id] = containers(node)
      expect(node.run(['docker', 'inspect', '-f', '{{.HostConfig.Runtime}}', id!])).toBe('lcrun')
      expect(node.run(['docker', 'exec', id!, 'hostname'])).toBe(node.name)
    }
  })

  test('it moves when dockerd of a node is killed, and the node is clean when it returns', async () => {
    const third = nodes[2]!
    await part.stop(daemons.get(third)!, 'SIGKILL')
    await until(
      'three run on two nodes',
      () => /^(node1 node1 node2|node1 node2 node2)$/.test(placed().join(' ')),
      told,
      40_000,
    )
    await start(third)
    await until('the node is back', () => manager('node', 'ls').match(/node3.*Ready/) !== null, told)
    await until(
      'its old container is gone',
      () => containers(third).length === 0,
      () => third.run(['docker', 'ps', '-a']),
    )
    const states = join(part.path, third.name, 'run/docker/runtime-runc/moby')
    expect(readdirSync(states)).toEqual([])
  })

  test('its tasks are spread again, and stop with it', async () => {
    manager('service', 'update', '--detach', '--force', 'web')
    await until('it runs on three nodes', () => placed().join(' ') === 'node1 node2 node3', told, 40_000)
    manager('service', 'rm', 'web')
    await until('all are gone', () => nodes.every(node => containers(node, '-a').length === 0))
  })
})
