import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { imageSize, startPageServer } from '@libcontainer/criu'
import { afterEach, describe, expect, test } from 'vitest'
import { copyOfBusyboxRootfs, requires, together } from '../../../test/support/index.js'
import { closeSeats, onTerminal, Seat } from '../../../test/support/seat.js'
import { Bench, either, until } from './hosts.js'

afterEach(closeSeats)

describe.each(either)('$name', host => {
  const needs = { ...together(host.needs, requires('root', 'criu')), timeout: 120_000 }

  test(
    'CL-24 CL-25 ST-02 who is saved on a terminal is kept, goes on by restore on another, and is removed at its end',
    needs,
    async () => {
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
      const sit = (...args: string[]): Promise<Seat> =>
        Seat.open(fd => bench.start(args, { before: onTerminal, stdio: [fd, fd, fd] }))
      const first = await sit('exec', '--tty', ...id, ...make, '/bin/sh', '-c', script)
      await goesOn()
      const images = ['--image-path', bench.file('images')]
      const all = ['--tcp-established', '--ext-unix-sk', '--shell-job']

      // Its memory goes elsewhere, and it goes on.
      const [address, port] = ['127.0.0.1', 27_127]
      await using server = await startPageServer({ imagesDir: bench.file('pages'), address, port })
      const elsewhere = ['--image-path', bench.file('small'), '--page-server', `${address}:${port}`, '--leave-running']
      const { status, stdout, stderr } = bench.run(['checkpoint', ...id, ...elsewhere, ...all, '--json'])
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      await server.wait()
      expect(JSON.parse(stdout)).toMatchObject({ imagesDir: bench.file('small'), imageSize: expect.any(Number) })
      expect(await imageSize(bench.file('pages'))).toBeGreaterThan(4096)
      await goesOn()

      expect(bench.run(['checkpoint', ...id, ...images, ...all, '--work-path', bench.file('work')])).toEqual({
        status: 0,
        stdout: '',
        stderr: '',
      })
      expect(await first.running.ended()).toBe(128 + 9)
      expect(existsSync(bench.file('work/dump.log'))).toBe(true)
      expect(JSON.parse(bench.run(['state', ...id]).stdout)).toMatchObject({ status: 'stopped' })
      const last = count()

      const second = await sit('restore', ...id, ...images, ...all)
      await until(
        'the counter goes on',
        () => count() > last + 2,
        () => second.shown,
      )
      expect(JSON.parse(bench.run(['state', ...id]).stdout)).toMatchObject({ status: 'running' })
      expect(bench.run(['exec', ...id, '/bin/cat', '/data/count'])).toMatchObject({ status: 0, stderr: '' })
      writeFileSync(bench.file('data/end'), '')
      expect(await second.running.ended()).toBe(7)
      await second.shows(`ended at ${count()}\r\n`)
      expect(bench.run(['state', ...id])).toMatchObject({ status: 1 })
      expect(bench.left()).toEqual([])
    },
  )
})
