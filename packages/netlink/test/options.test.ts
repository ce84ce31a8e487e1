import { ConfigInvalid } from '@libcontainer/sys'
import { describe, expect, test } from 'vitest'
import * as help from '../src/node/help.js'
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
  expect(parseAddr(['show', 'dev', 'eth0']).link).toBe('eth0')
  expect(parseAddr(['dev']).link).toBe('dev')
  expect(() => parseAddr(['add', '192.0.2.1/24', 'dev', 'eth0'])).toThrow(
    /addr shows what is there, and changes nothing/,
  )
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
    address: undefined,
    family: 'inet',
    table: 'all',
    link: 'eth0',
    protocol: 'static',
    type: 'blackhole',
  })
  expect(parseRoute(['show']).table).toBeUndefined()
  expect(() => parseRoute(['shwo'])).toThrow(/does not know 'shwo'; did you mean 'show'/)
  expect(() => parseRoute(['list', 'list'])).toThrow(UsageError)
  expect(parseRoute(['get', '192.0.2.1', '--dev', 'eth0', '-j'])).toMatchObject({ address: '192.0.2.1', link: 'eth0' })
  expect(() => parseRoute(['get'])).toThrow(/route get needs one address/)
  expect(() => parseRoute(['get', 'a', 'b'])).toThrow(/route get needs one address/)
  expect(() => parseRoute(['get', '192.0.2.1', '--table', 'all'])).toThrow(/route get takes no --table/)
  expect(() => parseRoute(['get', '192.0.2.1', '-6'])).toThrow(/route get takes no -6/)
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

test.each(Object.entries(help))('the help %s has room in a terminal of 80 columns', (_, page) => {
  expect(page.split('\n').filter(line => line.length > 80)).toEqual([])
})
