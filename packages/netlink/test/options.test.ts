import { ConfigInvalid } from '@libcontainer/sys'
import { describe, expect, test } from 'vitest'
import {
  type NetnsRequest,
  parseAddr,
  parseLink,
  parseMonitor,
  parseNetns,
  parseRoute,
  TOPICS,
} from '../src/node/options.js'
import { UsageError } from '../src/node/usage-error.js'

describe('netlink link', () => {
  test('its options', () => {
    expect(parseLink([])).toEqual({
      namespace: undefined,
      json: false,
      help: false,
      name: undefined,
      kind: undefined,
      master: undefined,
      up: undefined,
      statistics: false,
    })
    expect(parseLink(['show', 'eth0', '-j', '-s', '--netns', 'blue'])).toMatchObject({
      name: 'eth0',
      json: true,
      statistics: true,
      namespace: 'blue',
    })
    expect(parseLink(['--type', 'bridge', '--down', '-t', '42'])).toMatchObject({
      kind: 'bridge',
      up: false,
      namespace: 42,
    })
    expect(parseLink(['--up', '--master=br0', '-n', '/proc/1/ns/net'])).toMatchObject({
      up: true,
      master: 'br0',
      namespace: '/proc/1/ns/net',
    })
    // A link may have such a name; the word for listing comes first then.
    expect(parseLink(['list', 'list']).name).toBe('list')
  })

  test.each([
    [['--up', '--down'], UsageError, /either/],
    [['a', 'b'], UsageError, /'b'/],
    [['--jsn'], UsageError, /no option '--jsn'; did you mean '--json'/],
    [['--nets', 'x'], UsageError, /did you mean '--netns'/],
    [['-x'], UsageError, /no option '-x'$/],
    [['--type'], UsageError, /--type/],
    [['-n', 'a', '-t', '1'], UsageError, /either --netns or --target/],
    [['-t', 'x'], ConfigInvalid, /--target.*whole number/],
  ] as const)('%j is refused', (words, kind, problem) => {
    expect(() => parseLink(words)).toThrow(kind)
    expect(() => parseLink(words)).toThrow(problem)
  })
})

test('netlink addr: a link, a family, a scope', () => {
  expect(parseAddr(['eth0', '-6', '--scope', 'link'])).toMatchObject({ link: 'eth0', family: 'inet6', scope: 'link' })
  expect(parseAddr(['ls', '--dev', 'eth0', '--family', 'inet'])).toMatchObject({ link: 'eth0', family: 'inet' })
  expect(() => parseAddr(['eth0', '--dev', 'eth1'])).toThrow(UsageError)
  expect(() => parseAddr(['-4', '-6'])).toThrow(UsageError)
  expect(() => parseAddr(['-f', 'ipv4'])).toThrow(ConfigInvalid)
})

test('netlink route: what picks them, and no word that it does not know', () => {
  expect(parseRoute(['-4', '--table', 'all', '--dev', 'eth0', '--protocol', 'static', '--type', 'blackhole'])).toEqual({
    namespace: undefined,
    json: false,
    help: false,
    family: 'inet',
    table: 'all',
    link: 'eth0',
    protocol: 'static',
    type: 'blackhole',
  })
  expect(parseRoute(['show']).table).toBeUndefined()
  expect(() => parseRoute(['shwo'])).toThrow(/does not know 'shwo'; did you mean 'show'/)
  expect(() => parseRoute(['list', 'list'])).toThrow(UsageError)
})

test('netlink monitor: topics, once each', () => {
  expect(parseMonitor([]).topics).toEqual(TOPICS)
  expect(parseMonitor(['link', 'address', 'link', '--json'])).toMatchObject({ topics: ['link', 'addr'], json: true })
  expect(() => parseMonitor(['ruote'])).toThrow(/'ruote'; did you mean 'route'/)
  expect(() => parseMonitor(['constructor'])).toThrow(UsageError)
})

describe('netlink netns', () => {
  test.each<[string[], NetnsRequest]>([
    [[], { act: 'list', json: false }],
    [['--json'], { act: 'list', json: true }],
    [['ls', '-j'], { act: 'list', json: true }],
    [['add', 'a', 'b'], { act: 'add', names: ['a', 'b'] }],
    [['del', 'a'], { act: 'delete', names: ['a'] }],
    [['attach', 'a', '42'], { act: 'attach', name: 'a', pid: 42 }],
    [['id', 'a'], { act: 'id', name: 'a', id: undefined }],
    [['set', 'a', 'auto'], { act: 'id', name: 'a', id: 'auto' }],
    [['id', 'a', '7'], { act: 'id', name: 'a', id: 7 }],
    [['exec', 'a', 'ip', '--json', '-h'], { act: 'exec', namespace: 'a', command: ['ip', '--json', '-h'] }],
    [['exec', '/proc/1/ns/net', '--', '-x'], { act: 'exec', namespace: '/proc/1/ns/net', command: ['-x'] }],
    [['exec', '-h'], { act: 'help' }],
    [['add', '-h'], { act: 'help' }],
    [['-h'], { act: 'help' }],
  ])('%j', (words, request) => {
    expect(parseNetns(words)).toEqual(request)
  })

  test.each([
    [['lsit'], UsageError, /'lsit'; did you mean 'list'/],
    [['remove', 'x'], UsageError, /'remove'$/],
    [['toString'], UsageError, /does not know 'toString'/],
    [['list', 'x'], UsageError, /takes no 'x'/],
    [['add'], UsageError, /needs a name/],
    [['add', 'x', '--json'], UsageError, /no --json/],
    [['attach', 'x'], UsageError, /number of a process/],
    [['attach', 'x', 'y'], ConfigInvalid, /PID/],
    [['id'], UsageError, /needs a name/],
    [['id', 'x', '-1'], UsageError, /./],
    [['exec'], UsageError, /needs a name/],
    [['exec', 'x'], UsageError, /no command/],
    [['exec', 'x', '--'], UsageError, /no command/],
  ] as const)('%j is refused', (words, kind, problem) => {
    expect(() => parseNetns(words)).toThrow(kind)
    expect(() => parseNetns(words)).toThrow(problem)
  })
})
