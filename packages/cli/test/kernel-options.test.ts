import { optionsOf } from '@libcontainer/cli/doctor'
import { expect, test } from 'vitest'

test('BY-11 options of the kernel are read as its file has them', () => {
  const options = optionsOf('CONFIG_USER_NS=y\nCONFIG_VETH=m\n# CONFIG_OVERLAY_FS is not set\n', '/boot/config')
  expect(options.CONFIG_USER_NS).toEqual({ available: true })
  expect(options.CONFIG_VETH).toEqual({ available: true, detail: 'as a module' })
  expect(options.CONFIG_OVERLAY_FS).toMatchObject({ available: false, hint: 'boot a kernel with CONFIG_OVERLAY_FS=y' })
})
