/** Whether a name is a template, in which the kernel puts the lowest free number for `%d`. */
export const isTemplate = (name: string): boolean => name.includes('%')

/** Whether a name is one that the kernel makes of a template. */
export function matchesTemplate(template: string, name: string): boolean {
  const [before = '', after = ''] = template.split('%d')
  const number = name.slice(before.length, name.length - after.length)
  return name.startsWith(before) && name.endsWith(after) && /^(0|[1-9]\d*)$/.test(number)
}
