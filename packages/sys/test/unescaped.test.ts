import { unescapedField } from '@libcontainer/sys'
import { expect, test } from 'vitest'

test('a field of mountinfo: what the kernel has escaped, and nothing else', () => {
  expect(unescapedField('/a\\040b\\011c\\012d\\134e\\043')).toBe('/a b\tc\nd\\e#')
  expect(unescapedField('/plain')).toBe('/plain')
  // An escaped backslash begins no other escape.
  expect(unescapedField('\\134040')).toBe('\\040')
  // No byte has such a number.
  expect(unescapedField('\\540 \\12 \\8')).toBe('\\540 \\12 \\8')
})
