import { describe, expect, test } from 'vitest'
import { Bundle, hosts, until } from './hosts.js'

describe.each(hosts)('$name', host => {
  test('BY-07 wait and monitor: what other commands do to a container', {
    ...host.needs,
    timeout: 60_000,
  }, async () => {
    using bundle = new Bundle(host)
    const { id } = bundle
    const lines = (text: string): { id: string; status: string; pid: number }[] =>
      text
        .split('\n')
        .filter(line => line !== '')
        .map(line => JSON.parse(line))
    const monitor = bundle.start(['monitor', id])
    await until('the first line', () => lines(monitor.stdout).length > 0)
    expect(lines(monitor.stdout)).toEqual([{ id, status: 'removed', pid: 0 }])
    bundle.sleeping()
    expect(bundle.run(['wait', id, 'created', 'running'])).toEqual({ status: 0, stdout: 'running\n', stderr: '' })
    expect(bundle.run(['wait', '--timeout', '10ms', id])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`container '${id}' has not been stopped for 10ms`),
    })
    const waiting = bundle.start(['wait', id])
    bundle.run(['pause', id])
    bundle.run(['resume', id])
    bundle.run(['kill', id, 'KILL'])
    expect(await waiting.ended()).toBe(0)
    expect(waiting.stdout).toBe('stopped\n')
    bundle.run(['delete', id])
    await until(
      'the removal',
      () => lines(monitor.stdout).at(-1)?.status === 'removed' && lines(monitor.stdout).length > 1,
    )
    const told = lines(monitor.stdout).map(({ status }) => status)
    expect(told).toEqual(expect.arrayContaining(['running', 'paused', 'stopped']))
    expect(bundle.run(['wait', id, 'gone'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('must be of creating'),
    })
  })
})
