import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Bundle, either, specOf, until } from './hosts.js'

const lines = (text: string): string[] => text.split('\n').filter(line => line !== '')

describe.each(either)('$name', host => {
  test('OL-11 list as a table, as JSON, and the ids alone', host.needs, async () => {
    using bundle = new Bundle(host)
    const { id } = bundle
    const [first, second] = [`${id}-1`, `${id}-2`]
    mkdirSync(bundle.stateRoot, { mode: 0o700 })
    expect(bundle.run(['list'])).toEqual({
      status: 0,
      stdout: 'ID          PID         STATUS      BUNDLE      CREATED     OWNER\n',
      stderr: '',
    })
    expect(bundle.run(['list', '--format', 'json'])).toEqual({ status: 0, stdout: '[]\n', stderr: '' })
    expect(bundle.run(['list', '-q'])).toEqual({ status: 0, stdout: '', stderr: '' })
    bundle.sleeping(first)
    const { pid } = bundle
    expect(bundle.detached(['create', second])).toMatchObject({ status: 0 })
    const [heading, one, two, ...more] = lines(bundle.run(['list']).stdout)
    expect(more).toEqual([])
    expect(heading).toMatch(/^ID +PID +STATUS +BUNDLE +CREATED +OWNER$/)
    const time = String.raw`\d{4}-\d\d-\d\dT\S+Z`
    expect(one).toMatch(new RegExp(`^${first} +${pid} +running +${bundle.path} +${time} +root$`))
    expect(two).toMatch(new RegExp(`^${second} +\\d+ +created +${bundle.path} +${time} +root$`))
    expect(one!.indexOf('running')).toBe(heading!.indexOf('STATUS'))
    expect(bundle.run(['list', '-q']).stdout).toBe(`${first}\n${second}\n`)
    const { stdout } = bundle.run(['list', '-f', 'json'])
    expect(lines(stdout)).toHaveLength(1)
    expect(JSON.parse(stdout)).toEqual([first, second].map(id => ({ ...bundle.state(id)!, owner: 'root' })))
    bundle.run(['pause', first])
    expect(bundle.run(['list']).stdout).toMatch(/ paused /)
    bundle.run(['resume', first])
    bundle.run(['kill', first, 'KILL'])
    await bundle.stopped(first)
    expect(bundle.run(['list']).stdout).toMatch(new RegExp(`^${first} +0 +stopped `, 'm'))
  })

  test(
    'OL-11 EV-009 what cannot be read is warned of and left out; a state root that is named has to be there',
    host.needs,
    () => {
      using bundle = new Bundle(host)
      bundle.sleeping()
      for (const [name, text] of Object.entries({ broken: '{"id":"broken","init_pro', other: '{}', null: 'null' })) {
        mkdirSync(`${bundle.stateRoot}/${name}`)
        writeFileSync(`${bundle.stateRoot}/${name}/state.json`, text, { mode: 0o600 })
      }
      mkdirSync(`${bundle.stateRoot}/being-made`)
      writeFileSync(`${bundle.stateRoot}/a-file`, '')
      const { status, stdout, stderr } = bundle.run(['list', '--quiet'])
      expect({ status, stdout }).toEqual({ status: 0, stdout: `${bundle.id}\n` })
      for (const name of ['broken', 'other', 'null']) expect(stderr).toContain(`/${name}/state.json`)
      expect(stderr).not.toContain('being-made')
      expect(lines(stderr).filter(line => line.includes('warning'))).toHaveLength(3)
      const whole = readFileSync(`${bundle.stateRoot}/${bundle.id}/state.json`, 'utf8')
      mkdirSync(`${bundle.stateRoot}/cut`)
      const cut = whole.replace(`"id":"${bundle.id}"`, '"id":"cut"').slice(0, -9)
      writeFileSync(`${bundle.stateRoot}/cut/state.json`, cut, { mode: 0o600 })
      const all = bundle.run(['list', '--format', 'json'])
      expect({ status: all.status, ids: JSON.parse(all.stdout) }).toEqual({
        status: 0,
        ids: [expect.objectContaining({ id: bundle.id, status: 'running' })],
      })
      for (const name of ['broken', 'cut']) expect(all.stderr).toMatch(new RegExp(`warning: .*/${name}/state\\.json`))
      expect(bundle.run(['--root', `${bundle.stateRoot}/absent`, 'list'])).toMatchObject({ status: 1, stdout: '' })
      expect(existsSync(`${bundle.stateRoot}/absent`)).toBe(false)
    },
  )

  test('OL-12 ps: the rows of ps -ef or of the options given, and the pids', host.needs, () => {
    using bundle = new Bundle(host)
    bundle.sleeping()
    const { pid } = bundle
    const [heading, row, ...more] = lines(bundle.run(['ps', bundle.id]).stdout)
    expect(heading).toMatch(/^UID +PID +PPID /)
    expect(row).toMatch(new RegExp(`^\\S+ +${pid} +\\d+ .* /?(?:bin/)?sleep 1000$`))
    expect(more).toEqual([])
    expect(bundle.run(['ps', '--format', 'json', bundle.id]).stdout).toBe(`[${pid}]\n`)
    expect(bundle.run(['ps', bundle.id, '-o', 'pid,comm']).stdout).toMatch(
      new RegExp(`^ +PID COMMAND\n *${pid} sleep\n$`),
    )
    expect(bundle.run(['ps', bundle.id, '-o', 'comm'])).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('no column PID'),
    })
    expect(bundle.run(['ps', '-f', 'yaml', bundle.id])).toMatchObject({ status: 1 })
    expect(bundle.run(['ps', 'absent'])).toMatchObject({ status: 1, stderr: expect.stringContaining('does not exist') })
  })

  test('XT-03 kill and delete by a regular expression: those that it matches, and no other', host.needs, async () => {
    using bundle = new Bundle(host)
    const ids = ['web-1', 'web-2', 'db-1'].map(name => `${bundle.id}-${name}`)
    for (const id of ids) bundle.sleeping(id)
    const silent = { status: 0, stdout: '', stderr: '' }
    expect(bundle.run(['delete', '--regex', `^${bundle.id}-web`])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('2 containers: '),
    })
    expect(bundle.left().sort()).toEqual(ids.toSorted())
    expect(bundle.run(['kill', '--regex', `^${bundle.id}-web-\\d$`, 'KILL'])).toEqual(silent)
    for (const id of ids.slice(0, 2)) await bundle.stopped(id)
    expect(bundle.state(ids[2])).toMatchObject({ status: 'running' })
    expect(bundle.run(['delete', '-r', `^${bundle.id}-web`])).toEqual(silent)
    expect(bundle.left()).toEqual([ids[2]])
    expect(bundle.run(['delete', '-r', 'matches nothing'])).toEqual(silent)
    expect(bundle.run(['kill', '-r', '(', 'KILL'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('regular expression'),
    })
    expect(bundle.run(['delete', '-r', '--force', ''])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('must not be empty'),
    })
    expect(bundle.run(['delete', '-r', '--force', '.*'])).toEqual(silent)
    expect(bundle.left()).toEqual([])
  })

  test('XT-03 kill --all reaches every process of the container', host.needs, async () => {
    using bundle = new Bundle(host)
    const own = specOf(['/bin/sh', '-c', 'sleep 1000 & sleep 1000 & wait'])
    const shared = { ...own, linux: { namespaces: [{ type: 'mount' }, { type: 'uts' }] } }
    bundle.sleeping(bundle.id, shared)
    const pids = await until('three processes', () => {
      const found = JSON.parse(bundle.run(['ps', '-f', 'json', bundle.id]).stdout) as number[]
      return found.length === 3 ? found : undefined
    })
    expect(bundle.run(['kill', '--all', bundle.id, 'KILL'])).toMatchObject({ status: 0 })
    await bundle.stopped()
    await until('their end', () => (pids.some(pid => existsSync(`/proc/${pid}`)) ? undefined : true))
    expect(bundle.run(['kill', '--all', bundle.id, 'KILL'])).toMatchObject({ status: 0 })
  })

  test('XT-13 --log-level says what is told', host.needs, () => {
    using bundle = new Bundle(host)
    bundle.sleeping()
    mkdirSync(`${bundle.stateRoot}/broken`)
    writeFileSync(`${bundle.stateRoot}/broken/state.json`, '{', { mode: 0o600 })
    expect(bundle.run(['list', '-q']).stderr).toContain('broken')
    expect(bundle.run(['--log-level', 'error', 'list', '-q']).stderr).toBe('')
  })
})
