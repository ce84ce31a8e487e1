import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The top of the repository, with a slash. */
export const top = fileURLToPath(new URL('../', import.meta.url))

/**
 * What a program run from here may see of npm's settings: npm hands its own to the scripts it runs, and there an odd one (`target`,
 * `nodedir`, `dry_run`) would steer npm and node-gyp within. How to reach the network stays.
 */
export function environment() {
  const ours =
    /^npm_config_(registry|(https?_|no)?proxy|ca|cafile|cache|userconfig|globalconfig|offline|prefer_offline|strict_ssl)$/i
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_config_\w+$/i.test(name) || ours.test(name)),
  )
}

/** Runs a command at the top, with no input, and shows what it printed only where it failed. */
export function quietly(what, [program, ...args], { cwd = top, env = environment() } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    const chunks = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => chunks.push(chunk))
    child.on('error', cause => reject(new Error(`${what}: ${cause.message}`)))
    child.on('close', (code, signal) => {
      const output = Buffer.concat(chunks).toString()
      if (code === 0) resolve(output)
      else reject(new Error(`${what}: ${program} ended with ${signal ?? `status ${code}`}\n${output}`))
    })
  })
}
