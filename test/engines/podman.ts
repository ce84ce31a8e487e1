import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

const text = (runtime: string): string => `[containers]
# podman as root asks for limits above what this machine may allow.
default_ulimits = ["nofile=1024:4096", "nproc=4096:4096"]

[engine]
runtime = "${runtime}"
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
`

/** Stays of a pod: podman 4.3 removes its cgroup from the hierarchies that have a controller alone. A container's own begins with `libpod-`. */
export const podsCgroup = /\/libpod_parent\/[0-9a-f]{64}$/

/** Makes a runtime the one that podman and buildah take, by /etc/containers; storage is plain copies, as everywhere possible. */
export function configurePodman(runtime: string): void {
  writeFile('/etc/containers/containers.conf', text(runtime))
  writeFile(
    '/etc/containers/storage.conf',
    '[storage]\ndriver = "vfs"\nrunroot = "/run/containers/storage"\ngraphroot = "/var/lib/containers/storage"\n',
  )
  writeFile('/etc/containers/policy.json', '{"default":[{"type":"insecureAcceptAnything"}]}\n')
}

function writeFile(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}
