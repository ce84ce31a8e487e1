import { readdirSync, readFileSync } from 'node:fs'

/** Where hierarchies are mounted, of both versions. */
export function hierarchies(): string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n')
  const fields = mounts.map(line => line.split(' ')).filter(([, , type]) => type === 'cgroup' || type === 'cgroup2')
  return [...new Set(fields.map(([, path]) => path!))]
}

/** What is below a cgroup, each after its parent; one that goes meanwhile has nothing below it. */
function below(path: string): string[] {
  try {
    const folders = readdirSync(path, { withFileTypes: true }).filter(entry => entry.isDirectory())
    return folders.flatMap(({ name }) => [`${path}/${name}`, ...below(`${path}/${name}`)])
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** The directories of all cgroups whose path in their hierarchy matches, at whatever depth, in all hierarchies; each after its parent. */
export function cgroupsNamed(pattern: RegExp): string[] {
  return hierarchies().flatMap(top => below(top).filter(path => pattern.test(path.slice(top.length))))
}
