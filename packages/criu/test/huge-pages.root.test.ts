import { openPidfd, splitHugePages } from '@libcontainer/sys'
import { expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { splitPagesOf } from '../src/huge-pages.js'
import { groveOf, hugeRangesOf } from './tree.js'

const needs = requires('root', 'program:gcc', 'file:/sys/kernel/mm/transparent_hugepage/hpage_pmd_size')
const grove = groveOf(needs)

test('CR-10 huge pages of a tree become ordinary ones, and hold what they held', needs, async () => {
  const { tree } = await grove.start({ mib: 8 })
  expect(hugeRangesOf(tree.pid)).not.toEqual([])
  await splitPagesOf(tree.pid)
  expect(hugeRangesOf(tree.pid)).toEqual([])
  await tree.goesOn()
  await splitPagesOf(tree.pid)

  using pidfd = openPidfd(tree.pid)
  await expect(splitHugePages(pidfd, { start: 0, end: 2 ** 21 }, 3)).rejects.toMatchObject({ code: 'EINVAL' })
  // Nothing is mapped there.
  await expect(splitHugePages(pidfd, { start: 2 ** 21, end: 2 ** 22 }, 2 ** 21)).rejects.toMatchObject({
    syscall: 'process_madvise',
    code: 'ENOMEM',
  })
  const { pid } = tree
  tree.kill()
  await splitPagesOf(pid)
})
