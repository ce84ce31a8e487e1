import { native } from '../native.js'

/** Whether a link of this process's own network namespace is a bridge, asked by one ioctl(2) off the thread. `false` also of a link that there is not. */
export async function isBridge(name: string): Promise<boolean> {
  return (await native.async.isBridge(name)) === 1
}
