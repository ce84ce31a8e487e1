import { spawn } from 'node:child_process'

/** Runs a command; its errors are shown, and its output given back. `input` goes to its standard input. */
export function run(command, { input, quiet = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command[0], command.slice(1), { stdio: ['pipe', 'pipe', quiet ? 'ignore' : 'inherit'] })
    const chunks = []
    child.stdout.on('data', chunk => chunks.push(chunk))
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) resolve(Buffer.concat(chunks))
      else reject(new Error(`${command.slice(0, 6).join(' ')} …: ${signal ?? `status ${code}`}`))
    })
  })
}

/** Whether a command runs and succeeds. */
export async function works(...command) {
  try {
    await run(command, { quiet: true })
    return true
  } catch {
    return false
  }
}

/** Runs functions, so many at a time. */
export async function pooled(jobs, width) {
  const queue = [...jobs]
  const worker = async () => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) await job()
  }
  await Promise.all(Array.from({ length: width }, worker))
}
