import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { busyboxRootfs } from '../support/index.js'

export const IMAGE = 'localhost/test:latest'

/** An archive, as `docker save` writes them and as all engines load them, of an image that is the busybox of test-rootfs. */
export function imageArchive(directory: string): string {
  const parts = join(directory, 'image')
  mkdirSync(parts)
  // Without nodes of devices, which a container of somebody else's may have in it for a moment.
  const tree = ['--numeric-owner', '--exclude=./dev/*', '-C', busyboxRootfs(), '.']
  execFileSync('tar', ['-cf', join(parts, 'layer.tar'), ...tree])
  const digest = createHash('sha256')
    .update(readFileSync(join(parts, 'layer.tar')))
    .digest('hex')
  const config = {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'], Cmd: ['sh'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
    history: [{ created_by: 'test-rootfs/busybox.sh' }],
  }
  writeFileSync(join(parts, 'config.json'), JSON.stringify(config))
  const manifest = [{ Config: 'config.json', RepoTags: [IMAGE], Layers: ['layer.tar'] }]
  writeFileSync(join(parts, 'manifest.json'), JSON.stringify(manifest))
  const archive = join(directory, 'image.tar')
  execFileSync('tar', ['-cf', archive, '-C', parts, 'manifest.json', 'config.json', 'layer.tar'])
  return archive
}
