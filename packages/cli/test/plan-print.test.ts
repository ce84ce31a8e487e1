import { planData, planTable } from '@libcontainer/cli/plan-print'
import { describe, expect, test } from 'vitest'

describe('a plan', () => {
  const skip = 'skip' as const
  const other = { op: 'bindNode', args: ['/dev/null'], about: 'bind it' }
  const plan = {
    namespaces: { cloneFlags: 0x20020000 } as never,
    outside: [],
    steps: [
      { op: 'setSession', args: [], about: 'start a session' },
      {
        op: 'makeNode',
        args: [{ slot: 'root' }, 'null', 5n, Uint8Array.of(1, 255)],
        about: 'make /dev/null',
        path: '/dev/null',
        into: 'node',
        onError: { EPERM: other, EACCES: other, EEXIST: skip },
      },
    ],
    slots: [],
  }

  test('as a table', () => {
    expect(planTable(plan)).toBe(
      [
        'STEP  OPERATION   WHAT IT DOES',
        '      clone3      make a process in new namespaces: pid, mnt',
        '   1  setSession  start a session',
        '   2  makeNode    make /dev/null; at EPERM or EACCES bind it; at EEXIST go on',
        '',
      ].join('\n'),
    )
  })

  test('as data', () => {
    expect(planData(plan)).toEqual({
      clone: ['pid', 'mnt'],
      steps: [
        { number: 1, op: 'setSession', args: [], about: 'start a session' },
        {
          number: 2,
          op: 'makeNode',
          args: [{ slot: 'root' }, 'null', 5n, { bytes: '01ff' }],
          about: 'make /dev/null',
          path: '/dev/null',
          into: 'node',
          onError: { EPERM: other, EACCES: other, EEXIST: 'skip' },
        },
      ],
    })
  })
})
