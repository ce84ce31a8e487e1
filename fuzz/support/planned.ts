import { type ContainerConfig, type ProcessSpec, resolveConfig } from '@libcontainer/container'
import { encodePlan } from '@libcontainer/sys'
import { namespacesOf, networkNamespace } from '../../packages/container/src/config/namespace-requests.js'
import { attributesOf } from '../../packages/container/src/plan/attributes.js'
import { planContainer } from '../../packages/container/src/plan/container.js'
import { checkProcess } from '../../packages/container/src/validate/process.js'
import { validateShape } from '../../packages/container/src/validate/shape.js'
import { networkProblems } from '../../packages/network/src/config.js'
import { answer, hold } from './oracles.js'

/** What a sound config and process become is a plan that can be encoded, and nothing but a refusal by field on the way there. */
export function planOf(given: ContainerConfig, process: ProcessSpec | undefined): void {
  // Compiling a filter asks for the machine, and has a target of its own.
  const config: ContainerConfig = { ...given, seccomp: null }
  const problems = validateShape(config)
  if (problems.length === 0) problems.push(...networkProblems(config, networkNamespace(namespacesOf(config))))
  for (const { field, message } of problems)
    hold(field !== '' && message.length < 20_000 + field.length, 'a problem without a field')
  if (problems.length > 0 || process === undefined) return
  answer(() => {
    checkProcess(process)
    const resolved = resolveConfig('fuzz', config)
    const { steps, slots } = planContainer(resolved, process, attributesOf(resolved, process, true), {
      cgroups: { hierarchies: [], namespace: false },
      joinCgroups: [],
      bornInCgroup: true,
      kcore: true,
      lastCap: 40,
    })
    encodePlan(steps, { slots, values: { parent: 9, listener: 9 } })
  })
}
