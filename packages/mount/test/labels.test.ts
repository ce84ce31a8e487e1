import { type Mount, type MountStepsOptions, mountSteps } from '@libcontainer/mount'
import { describe, expect, test } from 'vitest'

describe('labels of SELinux', () => {
  const label = 'system_u:object_r:container_file_t:s0:c1,c2'
  const optionsOf = (mount: Mount, options: MountStepsOptions = { label }): string[] => {
    const [step] = mountSteps([mount], options)
    return new TextDecoder()
      .decode(step!.args[4] as Uint8Array)
      .split('\0')
      .filter(Boolean)
  }

  test('5a mount_label MT-25 SE-10 new file systems have it, the kernel’s own do not, and one of the mount’s own stays', () => {
    expect(optionsOf({ destination: '/a', type: 'tmpfs', options: ['mode=755'] })).toEqual([
      'mode=755',
      `context=${label}`,
    ])
    expect(optionsOf({ destination: '/dev/pts', type: 'devpts' })).toEqual([`context=${label}`])
    for (const type of ['proc', 'sysfs']) expect(optionsOf({ destination: `/${type}`, type })).toEqual([])
    expect(optionsOf({ destination: '/a', type: 'tmpfs', options: ['mode=755'] }, {})).toEqual(['mode=755'])
    for (const name of ['context', 'fscontext', 'defcontext', 'rootcontext'])
      expect(
        optionsOf({ destination: '/a', type: 'tmpfs', options: [`${name}="u:r:t:s0:c3,c4"`, 'mode=755'] }).sort(),
      ).toEqual([`${name}=u:r:t:s0:c3,c4`, 'mode=755'].sort())
  })

  test('SE-18 queues of messages have it by an attribute, of the mount that was just made', () => {
    const queues: Mount = { destination: '/dev/mqueue', type: 'mqueue' }
    const steps = mountSteps([queues], { label })
    expect(steps.map(({ op, into }) => [op, into])).toEqual([
      ['mountFilesystem', 'queues'],
      ['labelFile', undefined],
      ['closeFd', undefined],
    ])
    expect(steps[1]!.args).toEqual([{ slot: 'queues' }, label])
    expect(optionsOf(queues)).toEqual([])
    expect(steps[1]).not.toHaveProperty('onError')
    expect(mountSteps([queues], { label, userns: true })[1]).toMatchObject({ onError: { EPERM: 'skip' } })
    expect(mountSteps([queues]).map(({ op }) => op)).toEqual(['mountFilesystem'])
  })

  test('5b relabel EV-085 is z or Z of a bind', () => {
    const bind: Mount = { destination: '/a', type: 'bind', source: '/b' }
    expect(mountSteps([{ ...bind, relabel: 'z' }])).toEqual(mountSteps([bind]))
    for (const mount of [
      { ...bind, relabel: 'zZ' },
      { destination: '/a', type: 'tmpfs', relabel: 'z' },
    ])
      expect(() => mountSteps([mount as Mount])).toThrow(/^mounts\[0\]\.relabel: /)
  })
})
