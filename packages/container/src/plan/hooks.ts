import { ask, runHook } from '@libcontainer/init'
import { type Arg, type Step, slot } from '@libcontainer/sys'
import type { ContainerConfig } from '../config/config.js'
import type { Command } from '../start/command.js'
import type { Hook, HookPoint } from '../start/hooks.js'
import { ociState } from '../state/oci-state.js'
import type { Status } from '../state/status.js'

/** What the plan has to know of a container's hooks: whose state they get, and what there is at each point. */
export interface HookFacts {
  readonly id: string
  readonly at: (point: HookPoint) => readonly Hook[]
}

/** The slots of descriptors that the output of hooks in the container goes to. */
export const HOOK_STDOUT = 'hookStdout'
export const HOOK_STDERR = 'hookStderr'

/** When all mounts are there and the root is the host's still: the hooks of the host, by the parent, then those of the container. */
export function createHookSteps(config: ContainerConfig, facts: HookFacts | undefined): Step[] {
  if (facts === undefined) return []
  const outside = facts.at('prestart').length + facts.at('createRuntime').length > 0
  return [
    ...(outside ? [ask('hooks', 'wait until the hooks of the host have run')] : []),
    ...insideSteps(config, facts, 'createContainer', 'creating', []),
  ]
}

/**
 * Between the word to start and the program.
 *
 * @param env - the program's, which is a hook's, too, that says none
 * @param moreEnv - the slot of what an answer adds to it
 */
export function startHookSteps(
  config: ContainerConfig,
  facts: HookFacts | undefined,
  env: readonly string[],
  moreEnv?: Arg,
): Step[] {
  return facts === undefined ? [] : insideSteps(config, facts, 'startContainer', 'created', env, moreEnv)
}

function insideSteps(
  { labels, hookOutput: { stdout, stderr } = {} }: ContainerConfig,
  { id, at }: HookFacts,
  point: 'createContainer' | 'startContainer',
  status: Status,
  defaultEnv: readonly string[],
  moreEnv?: Arg,
): Step[] {
  const state = aroundPid(JSON.stringify(ociState({ id, status, labels, state: { init_process_pid: 0 } })))
  // Functions run in this process alone: `Container.hook` takes none for these points.
  return (at(point) as readonly Command[]).map(({ path, args = [path], env, timeoutMs }, i) =>
    runHook({
      name: `${point}[${i}]`,
      path,
      args,
      env: env ?? defaultEnv,
      moreEnv: env === undefined ? moreEnv : undefined,
      state,
      timeoutMs,
      stdout: stdout === undefined ? undefined : slot(HOOK_STDOUT),
      stderr: stderr === undefined ? undefined : slot(HOOK_STDERR),
    }),
  )
}

/** The pid is what the container sees, which nobody knows before init is there. Ids and statuses hold no quotes: the first is the pid's. */
function aroundPid(text: string): [string, string] {
  const at = text.indexOf('"pid":0') + '"pid":'.length
  return [text.slice(0, at), text.slice(at + 1)]
}
