import { spawn } from 'node:child_process'

/** Runs a command and gives its output back; what it says on standard error becomes the error's, or is shown. */
export function run(command, { input } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command[0], command.slice(1))
    const chunks = []
    let said = ''
    child.stdout.on('data', chunk => chunks.push(chunk))
    child.stderr.on('data', chunk => {
      said += chunk
    })
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code !== 0) {
        reject(new Error(`${command.slice(0, 6).join(' ')} …: ${signal ?? `status ${code}`}\n${said}`))
        return
      }
      process.stderr.write(said)
      resolve(Buffer.concat(chunks))
    })
  })
}

/** Whether a command runs and succeeds. */
export async function works(...command) {
  try {
    await run(command)
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
