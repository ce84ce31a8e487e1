import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { instrument } from '../fuzz/engine/instrument.mjs'
import { nativeFlags, nativeSources, places } from '../fuzz/engine/native.mjs'
import { requires, temporaryDirectory } from './support/index.js'

/** What a target is begun with, and what it has found before. */
async function inputsOf(name: string, module: string): Promise<Uint8Array[]> {
  const { seeds } = (await import(join(places.targets, module))) as { seeds: () => Iterable<string | Uint8Array> }
  const found = existsSync(join(places.crashes, name)) ? readdirSync(join(places.crashes, name)) : []
  return [
    ...Array.from(seeds(), seed => Buffer.from(seed as string)),
    ...found.map(file => readFileSync(join(places.crashes, name, file))),
  ]
}

const modules = readdirSync(places.targets).filter(file => /^[\w-]+\.ts$/.test(file))

test.each(modules.map(file => [file.slice(0, -3), file]))(
  'TS-04 the seeds and earlier findings of %s',
  async (name, file) => {
    const { fuzz } = (await import(join(places.targets, file))) as { fuzz: (data: Uint8Array) => void }
    const inputs = await inputsOf(name, file)
    expect(inputs.length).toBeGreaterThan(2)
    for (const input of inputs) fuzz(input)
  },
)

const natives = readdirSync(places.targets).filter(file => file.endsWith('.c'))

test.each(natives.map(file => file.slice(0, -2)))(
  'TS-04 the seeds and earlier findings of %s, in C',
  {
    ...requires('program:gcc'),
    timeout: 120_000,
  },
  async name => {
    using directory = temporaryDirectory('libcontainer-fuzz-')
    const program = join(directory.path, name)
    const replay = join(places.targets, '../engine/replay.c')
    execFileSync('gcc', [...nativeFlags, '-O0', '-o', program, replay, ...nativeSources(name)])
    const files = (await inputsOf(name, `${name}.seeds.ts`)).map((input, i) => {
      const file = join(directory.path, `${name}-${i}`)
      writeFileSync(file, input)
      return file
    })
    execFileSync(program, files, { stdio: 'pipe' })
  },
)

test('a counter in each branch leaves what the code does alone', async () => {
  const source = `
    export const sign = n => n > 0 ? 'plus' : n < 0 ? 'minus' : ({ nothing: 'nothing' }).nothing
    export function sum(list, from = list.length && 0) {
      let all = from || 0
      for (const each of list) if (each === 'skip') continue; else all += each
      while (all > 100) all -= 100
      switch (all) { case 1: case 2: return 'few'; default: }
      try { if (all === 7) throw all } catch { return 'seven' }
      return all
    }
    export class Box { static #n = 1; get n() { return Box.#n ?? 2 } }`
  const { code, edges, words } = instrument(source)
  const counters = new Uint8Array(edges)
  ;(globalThis as { __edges?: Uint8Array }).__edges = counters
  const load = (text: string) => import(`data:text/javascript,${encodeURIComponent(text)}`)
  const [plain, counted] = await Promise.all([load(source), load(code)])
  for (const call of [
    (module: Record<string, (...args: unknown[]) => unknown>) => [1, -1, 0].map(module.sign!),
    (module: Record<string, (...args: unknown[]) => unknown>) =>
      [[1], [1, 'skip', 1], [7], [300, 5], []].map(list => module.sum!(list)),
    (module: Record<string, new () => { n: number }>) => new module.Box!().n,
  ])
    expect(call(counted)).toEqual(call(plain))
  expect(words).toEqual(expect.arrayContaining(['plus', 'skip', 'few']))
  // All but the name that a box falls back to.
  expect([...counters].filter(count => count === 0)).toHaveLength(1)
})
