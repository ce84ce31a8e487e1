import { parsePins } from '@libcontainer/sys'
import { expect, test } from 'vitest'

test('NS-22 where namespaces are mounted is read from mountinfo, with blanks in the path', () => {
  const text = [
    '36 28 0:4 net:[4026532253] /run/netns/a\\040b\\134c rw shared:7 - nsfs nsfs rw',
    '37 28 0:4 net:[4026532253] /run/netns/c rw - nsfs nsfs rw',
    '38 28 0:4 / /proc rw - proc proc rw',
    '',
  ].join('\n')
  expect([...parsePins(text)]).toEqual([['net:[4026532253]', ['/run/netns/a b\\c', '/run/netns/c']]])
})
