import { unescapedField } from '@libcontainer/sys'

/** Where resctrl is mounted as a whole, by the text of a mountinfo file: the last place, which hides those before it. Pure. */
export function mountedAt(mountinfo: string): string | undefined {
  const points = mountinfo.split('\n').flatMap(line => {
    const [mount = '', filesystem = ''] = line.split(' - ', 2)
    const [, , , root, point] = mount.split(' ')
    return filesystem.startsWith('resctrl ') && root === '/' && point !== undefined ? [point] : []
  })
  const last = points.at(-1)
  return last && unescapedField(last)
}
