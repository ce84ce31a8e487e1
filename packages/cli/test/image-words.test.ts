import { imageWords, inImageWords } from '@libcontainer/cli/checkpoint'
import { LibcontainerError } from '@libcontainer/sys'
import { expect, test } from 'vitest'

test.each([
  ['imagesDir: must be empty: x.img is in it', '--image-path: must be empty: x.img is in it'],
  ['choose another directory, or say overwrite: true', 'choose another directory'],
  [
    'established connections are dumped with tcpEstablished, or closed with tcpClose',
    'established connections are dumped with --tcp-established, or closed with --tcp-close',
  ],
  [
    'the terminal or session belongs to a process outside: shellJob: true',
    'the terminal or session belongs to a process outside: --shell-job',
  ],
  ["networkLock: 'nftables' of a network", '--network-lock nftables of a network'],
  ['or say networkLock: nftables', 'or say --network-lock nftables'],
  ['pages of imagesDirectory, nothing: true', 'pages of imagesDirectory, nothing: true'],
])('CR-19 options of an image are told as flags: %s', (text, words) => {
  expect(imageWords(text)).toBe(words)
})

test('CR-19 an error keeps its code and has the first for its cause; what names no option stays as it is', async () => {
  const first = new LibcontainerError('SystemError', 'cannot', { hint: 'a UNIX socket: extUnixSk: true' })
  await expect(inImageWords(() => Promise.reject(first))).rejects.toMatchObject({
    code: 'SystemError',
    message: 'cannot',
    hint: 'a UNIX socket: --ext-unix-sk',
    cause: first,
  })
  for (const other of [new LibcontainerError('SystemError', 'cannot', { hint: 'none' }), new Error('shellJob')])
    await expect(inImageWords(() => Promise.reject(other))).rejects.toBe(other)
})
