import { ConfigInvalid, fieldName, jsonPointer } from '@libcontainer/sys'
import fc from 'fast-check'
import { expect, test } from 'vitest'

test('VAL-32 a field has a place in its document, by RFC 6901', () => {
  const places: Record<string, string> = {
    config: '',
    rootfs: '/rootfs',
    'mounts[2].options[0]': '/mounts/2/options/0',
    'cgroups.memory.max': '/cgroups/memory/max',
    "sysctl['net.ipv4.ip_forward']": '/sysctl/net.ipv4.ip_forward',
    "sysctl['net/ipv4/conf/eth0.1/x']": '/sysctl/net~1ipv4~1conf~1eth0.1~1x',
    "cgroups.unified['a~b'].x": '/cgroups/unified/a~0b/x',
    'rlimits[10].soft': '/rlimits/10/soft',
  }
  for (const [field, pointer] of Object.entries(places)) {
    expect(jsonPointer(field), field).toBe(pointer)
    expect(new ConfigInvalid(field, 1, 'is wrong').pointer).toBe(pointer)
  }
})

test('VAL-32 whatever a key is called, its pointer leads back to it', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.constantFrom('', 'cgroups', 'mounts[3]'), (key, at) => {
      fc.pre(key !== 'config' && !/[\r\n\u2028\u2029]/.test(key))
      const pointer = jsonPointer(fieldName(key, at))
      const last = pointer.slice(pointer.lastIndexOf('/') + 1)
      expect(last.replaceAll('~1', '/').replaceAll('~0', '~')).toBe(key)
    }),
  )
})
