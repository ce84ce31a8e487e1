import { stringifyJson } from '@libcontainer/sys'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseHead } from '../src/state/overview.js'
import { cgroupPaths } from '../src/state/state.js'

const state = {
  id: 'box',
  init_process_pid: 4321,
  init_process_start: '2936019',
  created: '2026-11-22T09:43:35.707Z',
  bundle: '/a/bundle',
  rootless: false,
  cgroup_paths: {
    '': '/sys/fs/cgroup/unified/box',
    freezer: '/sys/fs/cgroup/freezer/box',
    cpu: '/sys/fs/cgroup/cpu/box',
  },
  namespace_paths: {},
  config: {},
}
const known = {
  id: 'box',
  init_process_pid: 4321,
  init_process_start: '2936019',
  created: '2026-11-22T09:43:35.707Z',
  bundle: '/a/bundle',
  cgroup_paths: { '': '/sys/fs/cgroup/unified/box', freezer: '/sys/fs/cgroup/freezer/box' },
  owner: 7,
}

describe('OL-11', () => {
  test('OL-11 the beginning of a state tells all that a list shows', () => {
    expect(parseHead('box', stringifyJson(state), 7)).toEqual(known)
    const { bundle: _, ...without } = state
    expect(parseHead('box', stringifyJson(without), 7)).toEqual({ ...known, bundle: '' })
    const { freezer, cpu } = state.cgroup_paths
    expect(parseHead('box', stringifyJson({ ...state, cgroup_paths: { freezer, cpu } }), 7)).toEqual({
      ...known,
      cgroup_paths: { freezer },
    })
    expect(parseHead('box', stringifyJson({ ...state, cgroup_paths: {} }), 7)).toEqual({ ...known, cgroup_paths: {} })
  })

  test('OL-11 a beginning that is cut, escaped, of another container or another version is left to the parser', () => {
    const text = stringifyJson(state)
    const behind = text.indexOf(',"cpu"')
    // Also within the name of the second one by which a paused container is told.
    for (let end = 0; end <= behind; end++) expect(parseHead('box', text.slice(0, end), 7)).toBeUndefined()
    expect(parseHead('box', text.slice(0, behind + ',"cpu":'.length), 7)).toEqual(known)
    expect(parseHead('other', text)).toBeUndefined()
    const { cpu, ...freezers } = state.cgroup_paths
    expect(parseHead('box', stringifyJson({ ...state, cgroup_paths: { cpu, ...freezers } }))).toBeUndefined()
    expect(parseHead('box', stringifyJson({ ...state, bundle: '/a "quoted", bundle' }))).toBeUndefined()
    expect(parseHead('box', stringifyJson({ ...state, bundle: '/a\\b' }))).toBeUndefined()
    expect(parseHead('box', stringifyJson({ ...state, created: undefined }))).toMatchObject({ created: undefined })
    expect(parseHead('box', '{"id":"box","version":3}')).toBeUndefined()
    expect(parseHead('box', '')).toBeUndefined()
  })

  test('OL-11 whatever the bundle is called, it is told as it is or left to the parser', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('"', ',', '\\', ':', '/', 'é', '{', ' ', 'b') }), bundle => {
        const head = parseHead('box', stringifyJson({ ...state, bundle }))
        if (head !== undefined) expect(head.bundle).toBe(bundle)
      }),
    )
  })

  test('OL-11 the cgroups by which a container is stopped come first in its state', () => {
    const paths = new Map([
      ['cpu', '/c'],
      ['freezer', '/f'],
      ['', '/u'],
    ])
    expect(Object.entries(cgroupPaths(paths))).toEqual([
      ['', '/u'],
      ['freezer', '/f'],
      ['cpu', '/c'],
    ])
  })
})
