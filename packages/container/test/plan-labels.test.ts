import { type ContainerConfig, type ProcessSpec, resolveConfig } from '@libcontainer/container'
import type { Step } from '@libcontainer/sys'
import { expect, test } from 'vitest'
import { attributesOf } from '../src/plan/attributes.js'
import { confinementOf } from '../src/plan/confinement.js'
import { planContainer } from '../src/plan/container.js'
import { planExec } from '../src/plan/exec.js'

const [label, other] = ['u:r:t:s0:c1,c2', 'u:r:other:s0:c1,c2']
const facts = { joinCgroups: [], lastCap: 40, initialFiles: undefined }

const resolved = (config: Partial<ContainerConfig>) => resolveConfig('a', { rootfs: '/box', ...config })
const full = (process: Partial<ProcessSpec>): ProcessSpec => ({ args: ['/bin/true'], ...process })

async function first(config: Partial<ContainerConfig>, process: Partial<ProcessSpec> = {}): Promise<readonly Step[]> {
  const [whole, spec] = [resolved(config), full(process)]
  const attributes = attributesOf(whole, spec, true, await confinementOf(whole, spec))
  const cgroups = { hierarchies: [], namespace: false }
  return planContainer(whole, spec, attributes, { ...facts, cgroups, kcore: false, level: 2 } as never).steps
}

async function further(config: Partial<ContainerConfig>, process: Partial<ProcessSpec> = {}): Promise<readonly Step[]> {
  const [whole, spec] = [resolved(config), full(process)]
  const attributes = attributesOf(whole, spec, false, await confinementOf(whole, spec))
  const { sessionKeyring } = whole
  return planExec(spec, attributes, { ...facts, kinds: ['mnt', 'pid'], sessionKeyring }).steps
}

const wordOf = ({ op, args }: Step): string =>
  op === 'writeLabel' ? args.slice(1).join(' ') : op === 'ask' ? `ask ${args[0]}` : op
const inOrder = (steps: readonly Step[], words: readonly string[]): void => {
  const told = steps.map(wordOf)
  const places = words.map(word => told.indexOf(word))
  expect(places, told.join('\n')).not.toContain(-1)
  expect(places).toEqual([...places].sort((a, b) => a - b))
}

test('IN-09 IN-10 SE-16 SE-17 the label: of the keyring around its making, of the program after the state is saved, before the filter', async () => {
  const config = { selinuxLabel: label, sessionKeyring: true, apparmorProfile: 'box' }
  const early = [
    'openLabels',
    `keycreate ${label}`,
    'joinSessionKeyring',
    'keycreate ',
    'setUser',
    'apparmor/exec exec box',
  ]
  for (const steps of [await first(config), await further(config)]) {
    inOrder(steps, [...early, `exec ${label}`, 'setSeccompFilter', 'execProgram'])
    const told = steps.map(wordOf)
    const ready = steps.findIndex(({ about }) => about === 'wait until the state is saved')
    expect(told.indexOf(`exec ${label}`)).toBe(ready + 1)
    expect(told.filter(word => word === 'openLabels')).toHaveLength(1)
  }
  // Without a keyring of its own nothing is told of keys; without a label nothing is opened.
  expect((await first({ selinuxLabel: label })).map(wordOf).join()).not.toContain('keycreate')
  expect((await first({ sessionKeyring: true })).map(wordOf)).not.toContain('openLabels')
})

test('PR-10 a process has its own label, and empty is that of the container', async () => {
  const written = async (process: Partial<ProcessSpec>) =>
    (await further({ selinuxLabel: label }, process)).map(wordOf).filter(word => word.startsWith('exec '))
  expect(await written({ selinuxLabel: other })).toEqual([`exec ${other}`])
  expect(await written({ selinuxLabel: '' })).toEqual([`exec ${label}`])
  expect(await written({})).toEqual([`exec ${label}`])
})

test('5a mount_label of mounts, masks, the root overlay, and a terminal of the host', async () => {
  const config = { mountLabel: label, rootOverlay: { temporary: true } }
  const terminal = { slave: { fd: 9 } } as never
  const steps = await first(config, { terminal })
  const bytes = (op: string, at: number): string =>
    new TextDecoder().decode(steps.find(step => step.op === op)!.args[at] as Uint8Array)
  expect(bytes('overlayRoot', 4)).toBe(`context=${label}\0`)
  expect(steps.find(({ op }) => op === 'maskPaths')!.args.at(-1)).toBe(label)
  expect(steps.filter(({ op }) => op === 'labelFile').map(({ args }) => args)).toEqual([
    [{ slot: 'queues' }, label],
    [{ slot: 'terminal' }, label],
  ])
  expect((await first({}, { terminal })).map(({ op }) => op)).not.toContain('labelFile')
})
