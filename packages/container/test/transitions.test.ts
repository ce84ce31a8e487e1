import {
  ContainerError,
  checkTransition,
  mayBecome,
  statuses,
  statuses2015,
  statusFrom2015,
  statusText,
  statusTo2015,
  TransitionError,
  type TransitionStatus,
} from '@libcontainer/container'
import { expect, test } from 'vitest'
import { OCI_VERSION, ociState } from '../src/state/oci-state.js'

const all: readonly TransitionStatus[] = ['creating', 'created', 'running', 'paused', 'stopped', 'restored', 'loaded']
const from = (status: TransitionStatus, alive?: boolean): TransitionStatus[] =>
  all.filter(to => to !== 'creating' && to !== 'loaded' && mayBecome(status, to, { alive }))

test('ST-01 statuses of today, those of 2015 with their numbers, and what they mean', () => {
  expect(statuses).toEqual(['creating', 'created', 'running', 'paused', 'stopped'])
  expect(statuses2015.map((name, i) => [i + 1, name])).toEqual([
    [1, 'Running'],
    [2, 'Pausing'],
    [3, 'Paused'],
    [4, 'Checkpointed'],
    [5, 'Destroyed'],
  ])
  expect(statuses2015.map(statusFrom2015)).toEqual(['running', 'running', 'paused', 'stopped', 'stopped'])
  expect(statuses.map(status => statusTo2015(status))).toEqual(['Running', 'Running', 'Running', 'Paused', 'Destroyed'])
})

test('ST-02 a checkpoint says more than anything else, by the names of 2015', () => {
  for (const status of statuses) expect(statusTo2015(status, { checkpointed: true })).toBe('Checkpointed')
})

test('ST-04 created may become running, paused, stopped', () => {
  expect(from('created')).toEqual(['created', 'running', 'paused', 'stopped'])
})

test('ST-05 running may become paused; stopped only when its first process is dead', () => {
  expect(from('running')).toEqual(['running', 'paused'])
  expect(from('running', false)).toEqual(['running', 'paused', 'stopped'])
})

test('ST-06 paused may become running; stopped only when its first process is dead; never created', () => {
  expect(from('paused')).toEqual(['running', 'paused'])
  expect(from('paused', false)).toEqual(['running', 'paused', 'stopped'])
})

test('ST-07 stopped may become running and restored only', () => {
  expect(from('stopped')).toEqual(['running', 'stopped', 'restored'])
})

test('ST-08 restored may become running or stopped', () => {
  expect(from('restored')).toEqual(['running', 'stopped', 'restored'])
})

test('ST-09 loaded may become anything', () => {
  for (const to of all) expect(mayBecome('loaded', to)).toBe(true)
})

test('ST-10 a transition that is refused says from where to where', () => {
  const refused: [TransitionStatus, TransitionStatus, string, number][] = [
    ['running', 'stopped', 'ContainerNotStopped', 4],
    ['running', 'created', 'ContainerNotStopped', 4],
    ['paused', 'stopped', 'ContainerPaused', 3],
    ['paused', 'created', 'ContainerNotStopped', 4],
    ['stopped', 'paused', 'ContainerNotRunning', 5],
    ['restored', 'paused', 'ContainerNotStopped', 4],
  ]
  for (const [was, wanted, code, number] of refused) {
    let error: unknown
    try {
      checkTransition('demo', was, wanted)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(TransitionError)
    expect(error).toBeInstanceOf(ContainerError)
    expect(error).toMatchObject({ from: was, to: wanted, code, number })
    expect((error as Error).message).toBe(`container 'demo' is ${was}, and cannot become ${wanted}`)
  }
  checkTransition('demo', 'created', 'running')
})

test('ST-18 what is no status prints unknown', () => {
  for (const status of ['created', 'running', 'paused', 'stopped']) expect(statusText(status)).toBe(status)
  for (const status of ['', 'Running', 'frozen', '__proto__', undefined, null, 3])
    expect(statusText(status)).toBe('unknown')
})

test('CO-04 the state in OCI’s words: labels are annotations, but for the bundle', () => {
  const labels = ['bundle=/srv/demo', 'a=b=c', 'empty=', '__proto__=x', 'a.b/c=d']
  const running = ociState({ id: 'demo', status: 'running', labels, state: { init_process_pid: 7 } })
  expect(running).toMatchObject({ ociVersion: OCI_VERSION, id: 'demo', status: 'running', pid: 7, bundle: '/srv/demo' })
  expect(Object.entries(running.annotations)).toEqual([
    ['a', 'b=c'],
    ['empty', ''],
    ['__proto__', 'x'],
    ['a.b/c', 'd'],
  ])
  expect(JSON.parse(JSON.stringify(running))).toHaveProperty('annotations.empty', '')
})

test('CO-04 the pid of one that has ended is left out', () => {
  expect('pid' in ociState({ id: 'demo', status: 'stopped', state: { init_process_pid: 7 } })).toBe(false)
  expect(ociState({ id: 'demo', status: 'stopped' })).toEqual({
    ociVersion: '1.3.0',
    id: 'demo',
    status: 'stopped',
    bundle: '',
    annotations: {},
  })
})
