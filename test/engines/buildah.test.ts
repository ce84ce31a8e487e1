import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requires } from '../support/index.js'
import { IMAGE, imageArchive } from './image.js'
import { lines, Part } from './part.js'
import { configurePodman } from './podman.js'

const needs = requires('root', 'rootfs', 'program:buildah')

const containerfile = `FROM ${IMAGE}
ENV GREETING=hello
RUN echo "$GREETING" > /greeting && id -u > /uid
COPY given /given
USER user
WORKDIR /home/user
RUN id -u > own && cat /given >> own && grep Seccomp: /proc/self/status >> own
RUN --mount=type=tmpfs,target=/scratch touch /scratch/x && grep -c ' /scratch tmpfs' /proc/mounts >> own
`

describe('OL-23 buildah', needs, () => {
  let part: Part
  const buildah = (...args: string[]): string => part.run(['buildah', ...args])
  const flags = (): string[] => ['--runtime', part.runtime, '--isolation', 'oci', '--network', 'none']

  beforeAll(() => {
    part = new Part('buildah', { cgroups: [] })
    configurePodman(part.runtime)
    buildah('pull', '-q', `docker-archive:${imageArchive(part.path)}`)
  })

  afterAll(async () => {
    expect(await part.end(buildah('--version'))).toEqual([])
  })

  test('build: every RUN goes through the runtime', () => {
    const context = join(part.path, 'context')
    mkdirSync(context)
    writeFileSync(join(context, 'Containerfile'), containerfile)
    writeFileSync(join(context, 'given'), 'given\n')
    buildah('build', '-q', '--pull=never', ...flags(), '-t', 'localhost/built', context)
    expect(part.calls('create')).toHaveLength(3)
    expect(part.calls('delete')).toHaveLength(3)

    const container = buildah('from', '--pull-never', 'localhost/built')
    const seen = buildah('run', ...flags(), container, 'cat', '/greeting', '/uid', '/home/user/own')
    expect(lines(seen)).toEqual(['hello', '0', '1000', 'given', 'Seccomp:\t2', '1'])
    buildah('rm', container)
  })

  test('build: a RUN that fails says with which code', () => {
    const context = join(part.path, 'failing')
    mkdirSync(context)
    writeFileSync(join(context, 'Containerfile'), `FROM ${IMAGE}\nRUN exit 42\n`)
    const { status, stderr } = part.try(['buildah', 'build', '-q', '--pull=never', ...flags(), context])
    expect(status).toBe(42)
    expect(stderr).toContain('exit status 42')
  })

  test('run: exit codes, a terminal, volumes, capabilities', () => {
    const container = buildah('from', '--pull-never', IMAGE)
    expect(part.try(['buildah', 'run', ...flags(), container, 'sh', '-c', 'exit 9'])).toMatchObject({ status: 9 })
    const { stdout } = part.onTerminal(['buildah', 'run', ...flags(), '--terminal', container, 'tty'])
    expect(stdout).toMatch(/^\/dev\/pts\/\d+\n$/)
    const more = ['-v', `${part.path}:/host:ro`, '--cap-drop=CAP_CHOWN']
    expect(
      buildah('run', ...flags(), ...more, container, 'sh', '-c', 'ls /host/image.tar; chown 1 /tmp 2>&1 || :'),
    ).toBe('/host/image.tar\nchown: /tmp: Operation not permitted')
    buildah('rm', container)
  })
})
