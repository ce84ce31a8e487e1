import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  atLeast,
  type CriuVersion,
  checkFeatures,
  parseVersion,
  requireFeatures,
  restore,
  version,
} from '@libcontainer/criu'
import { expect, test } from 'vitest'
import { type TemporaryDirectory, temporaryDirectory } from '../../../test/support/index.js'
import { criuReq, criuResp } from '../src/messages.js'
import { encodeMessage } from '../src/protobuf.js'

/** A program that answers as a CRIU of some age: to each request the bytes that are given for it, and to -V a text. */
function answering(place: TemporaryDirectory, answers: Readonly<Record<string, Uint8Array>>, said: string): string {
  const path = join(place.path, 'criu')
  const known = Object.entries(answers).map(([type, bytes]) => [
    [...encodeMessage(criuReq, { type: type as 'VERSION' })][1],
    Buffer.from(bytes).toString('base64'),
  ])
  writeFileSync(
    path,
    `#!${process.execPath}
const { appendFileSync, readSync, writeSync } = require('node:fs')
appendFileSync(process.argv[1] + '.started', '.')
if (process.argv[2] === '-V') console.log(${JSON.stringify(said)})
else {
  const answers = new Map(${JSON.stringify(known)})
  const request = Buffer.alloc(65536)
  // As long as somebody asks what there is an answer to.
  while (readSync(3, request) > 0 && answers.has(request[1])) writeSync(3, Buffer.from(answers.get(request[1]), 'base64'))
}
`,
  )
  chmodSync(path, 0o755)
  return path
}
const criuOf = (majorNumber: number, minorNumber: number, sublevel?: number): Uint8Array =>
  encodeMessage(criuResp, { type: 'VERSION', success: true, version: { majorNumber, minorNumber, sublevel } })
const featuresAre = (memTrack: boolean, lazyPages: boolean): Uint8Array =>
  encodeMessage(criuResp, { type: 'FEATURE_CHECK', success: true, features: { memTrack, lazyPages } })
const unknown = encodeMessage(criuResp, { type: 'EMPTY', success: false })
test('CR-22 without CRIU all that asks for it is refused by its path, and nothing is made', async () => {
  using place = temporaryDirectory('criu-absent-')
  const criu = { path: join(place.path, 'criu') }
  const imagesDir = join(place.path, 'images')
  for (const asked of [() => version(criu), () => checkFeatures(criu), () => restore({ imagesDir }, { criu })])
    await expect(asked()).rejects.toMatchObject({
      name: 'SyscallError',
      code: 'ENOENT',
      path: criu.path,
      hint: expect.stringContaining('install the package criu'),
    })
  expect(existsSync(imagesDir)).toBe(false)
  await expect(version({ path: 'criu' })).rejects.toMatchObject({ name: 'ConfigInvalid', field: 'criu.path' })
  await expect(version({ service: join(place.path, 'no-service') })).rejects.toMatchObject({ code: 'ENOENT' })
})

test('CR-03 EV-191 a CRIU that is too old is named with both versions', async () => {
  using place = temporaryDirectory('criu-old-')
  const imagesDir = join(place.path, 'images')
  for (const [answers, said, found] of [
    [{ VERSION: unknown }, 'Version: 2.12.1\nGitID: v2.12.1', '2.12.1'],
    [{ VERSION: unknown }, 'Version: 1.8', '1.8'],
    [{ VERSION: criuOf(2, 12) }, '', '2.12'],
    [{ VERSION: unknown }, 'something', 'of an unknown version'],
  ] as const) {
    const path = answering(place, answers, said)
    for (const asked of [
      () => version({ path }),
      () => checkFeatures({ path }),
      () => restore({ imagesDir }, { criu: { path } }),
    ])
      await expect(asked()).rejects.toMatchObject({ name: 'CriuTooOld', version: found, needed: '3.0' })
  }
  expect(existsSync(imagesDir)).toBe(false)
})

test('CR-04 EV-191 an option that came later, and a feature that is missing, are named', async () => {
  using place = temporaryDirectory('criu-less-')
  const imagesDir = join(place.path, 'images')
  const path = answering(place, { VERSION: criuOf(3, 15), FEATURE_CHECK: featuresAre(true, false) }, '')
  const criu = { path }
  expect(await version(criu)).toMatchObject({ major: 3, minor: 15, sublevel: 0, text: '3.15' })
  expect(await checkFeatures(criu)).toEqual({ memTrack: true, lazyPages: false, pidfdStore: false })
  await expect(restore({ imagesDir, lsmProfile: 'apparmor:x' }, { criu })).rejects.toMatchObject({
    name: 'CriuTooOld',
    message: `${path} is CRIU 3.15, and lsmProfile takes 3.16 or later`,
  })
  await expect(restore({ imagesDir, lazyPages: true }, { criu })).rejects.toMatchObject({
    name: 'CriuMissingFeatures',
    missing: ['lazyPages'],
    message: 'CRIU 3.15 on this kernel lacks lazyPages',
  })
  await requireFeatures(['memTrack'], criu)
  expect(existsSync(imagesDir)).toBe(false)
  // Another program at the same place is asked anew.
  answering(place, { VERSION: criuOf(3, 17, 1), FEATURE_CHECK: featuresAre(false, false) }, 'x'.repeat(9))
  expect(await version(criu)).toMatchObject({ text: '3.17.1' })
  await expect(requireFeatures(['memTrack', 'lazyPages'], criu)).rejects.toMatchObject({
    missing: ['memTrack', 'lazyPages'],
  })
})

test('CR-02 CRIU is started once for a request, with all that is asked about it before', async () => {
  using place = temporaryDirectory('criu-once-')
  const path = answering(place, { VERSION: criuOf(3, 17), FEATURE_CHECK: featuresAre(true, false) }, 'once')
  const request = { imagesDir: join(place.path, 'images'), lazyPages: true }
  await expect(restore(request, { criu: { path } })).rejects.toMatchObject({ name: 'CriuMissingFeatures' })
  expect(readFileSync(`${path}.started`, 'utf8')).toBe('.')
})

test('CR-02 EV-191 a program that is no CRIU: what it answers is refused', async () => {
  using place = temporaryDirectory('criu-none-')
  for (const [answers, wrong] of [
    [{ VERSION: Uint8Array.of(0xff) }, { code: 'EPROTO' }],
    [{}, { code: 'CriuEnded', message: expect.stringContaining('it ended with 0') }],
  ] as const)
    await expect(version({ path: answering(place, answers, `${Math.random()}`) })).rejects.toMatchObject(wrong)
})

test('CR-03 versions as criu -V prints them, and their order', () => {
  expect(parseVersion('Version: 3.17.1\nGitID: v3.17.1-2-gabc\n')).toEqual({
    major: 3,
    minor: 17,
    sublevel: 1,
    text: '3.17.1',
    gitId: 'v3.17.1-2-gabc',
  })
  expect(parseVersion('Version: 4.0')).toMatchObject({ major: 4, minor: 0, sublevel: 0, text: '4.0' })
  for (const text of ['', '3.17', 'Version: 3', 'Version: 3.17.1.2', 'Version: x.y'])
    expect(parseVersion(text), text).toBeUndefined()
  const is = (text: string): CriuVersion => parseVersion(`Version: ${text}`)!
  for (const [have, want, enough] of [
    ['3.0', '3.0', true],
    ['2.12.1', '3.0', false],
    ['3.9', '3.14', false],
    ['3.16.1', '3.16', true],
    ['3.16', '3.16.1', false],
    ['4.0', '3.19', true],
  ] as const)
    expect(atLeast(is(have), want), `${have} ${want}`).toBe(enough)
})
