import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { copyOfBusyboxRootfs, requires, together } from '../../../test/support/index.js'
import { Bench, either, until } from './hosts.js'

describe.each(either)('$name', host => {
  const needs = { ...together(host.needs, requires('root', 'criu')), timeout: 120_000 }

  test('CL-24 CL-25 ST-02 who is saved is kept, goes on by restore, and is removed at its end', needs, async () => {
    using rootfs = copyOfBusyboxRootfs()
    using bench = new Bench(host)
    mkdirSync(bench.file('data'))
    mkdirSync(`${rootfs.path}/data`, { recursive: true })
    const make = ['--rootfs', rootfs.path, '--bind', `${bench.file('data')}:/data:rw`, '--net', 'host']
    const script =
      'i=0; while [ ! -e /data/end ]; do i=$((i+1)); echo $i > /data/count; sleep 0.05; done; echo "ended at $i"; exit 7'
    const count = (): number =>
      Number(existsSync(bench.file('data/count')) ? readFileSync(bench.file('data/count')) : 0)
    const goesOn = async (): Promise<void> => {
      const seen = count()
      await until('the counter goes on', () => count() > seen + 2)
    }
    const id = ['--id', `${bench.id}-saved`]
    // Files of the host: a pipe of Node.js is a socket, whose other end CRIU would have to know.
    const out = openSync(bench.file('out'), 'a')
    const stdio: ['ignore', number, number] = ['ignore', out, out]
    const first = bench.start(['exec', ...id, ...make, '/bin/sh', '-c', script], { stdio })
    await goesOn()
    const images = ['--image-path', bench.file('images')]
    expect(bench.run(['checkpoint', ...id, ...images, '--work-path', bench.file('work')])).toEqual({
      status: 0,
      stdout: '',
      stderr: '',
    })
    expect(await first.ended()).toBe(128 + 9)
    expect(JSON.parse(bench.run(['state', ...id]).stdout)).toMatchObject({ status: 'stopped' })
    const last = count()

    const second = bench.start(['restore', ...id, ...images], { stdio })
    await until(
      'the counter goes on',
      () => count() > last + 2,
      () => readFileSync(bench.file('out'), 'utf8'),
    )
    expect(JSON.parse(bench.run(['state', ...id]).stdout)).toMatchObject({ status: 'running' })
    expect(bench.run(['exec', ...id, '/bin/cat', '/data/count'])).toMatchObject({ status: 0, stderr: '' })
    writeFileSync(bench.file('data/end'), '')
    expect(await second.ended()).toBe(7)
    closeSync(out)
    expect(readFileSync(bench.file('out'), 'utf8')).toBe(`ended at ${count()}\n`)
    expect(bench.run(['state', ...id])).toMatchObject({ status: 1 })
    expect(bench.left()).toEqual([])
  })
})
