import { holding } from '@libcontainer/sys'
import type { DBusConnection } from '../dbus/connection.js'
import type { DBusMessage } from '../dbus/message.js'
import { unlessAborted } from '../deadline.js'

/**
 * Listens to how jobs end, from before they are asked for: the word may come before the answer that names the job.
 *
 * @param isManager - whether a signal is the manager's own: on a bus anybody may send one
 */
export function watchJobs(connection: DBusConnection, isManager: (sender: string | undefined) => Promise<boolean>) {
  const results = new Map<string, string>()
  let lost: { readonly error: unknown } | undefined
  let wake = (): void => {}
  const take = async ({ sender, interface: of, member, body }: DBusMessage): Promise<void> => {
    if (of !== MANAGER_INTERFACE || member !== 'JobRemoved') return
    const [, job, , result] = body
    if (typeof job !== 'string' || typeof result !== 'string' || !(await isManager(sender))) return
    results.set(job, result)
    wake()
  }
  const stop = connection.onSignal(
    message => void take(message).catch(() => {}),
    error => {
      lost = { error }
      wake()
    },
  )
  /** How a job has ended: `done`, `failed`, `canceled`, … */
  const result = (job: string, signal: AbortSignal): Promise<string> =>
    holding(
      unlessAborted(
        new Promise((resolve, reject) => {
          wake = () => {
            const found = results.get(job)
            if (found !== undefined) resolve(found)
            else if (lost !== undefined) reject(lost.error)
          }
          wake()
        }),
        signal,
      ),
    )
  return { result, stop }
}

export const MANAGER_INTERFACE = 'org.freedesktop.systemd1.Manager'
