import { type Invocation, isOn } from '@libcontainer/cli'
import type { CheckpointImage } from '@libcontainer/container'
import { ConfigInvalid } from '@libcontainer/sys'
import { absolute, workingDirectory } from './container-json.js'

/** What `checkpoint` and `restore` are told alike. @throws {ConfigInvalid} with the flag */
export async function imageOptions(invocation: Invocation): Promise<CheckpointImage> {
  const { flags } = invocation
  const images = flags.get('image-path')
  if (!images) throw new ConfigInvalid('--image-path', images, 'must name the directory of the image')
  const work = flags.get('work-path')
  const here = await workingDirectory()
  return {
    imagesDir: absolute(images, here),
    workDir: work ? absolute(work, here) : undefined,
    tcpEstablished: isOn(invocation, 'tcp-established') || undefined,
    extUnixSk: isOn(invocation, 'ext-unix-sk') || undefined,
    shellJob: isOn(invocation, 'shell-job') || undefined,
  }
}
