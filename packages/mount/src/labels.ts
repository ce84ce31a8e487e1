/* SELinux's labels of file systems, as options of theirs: mount(8) */

/** Those that show what is the kernel's have its labels, and queues of messages take theirs otherwise: see mount-steps.ts. */
const UNLABELLED = new Set(['proc', 'sysfs', 'cgroup', 'cgroup2', 'mqueue'])

const OPTION = /^((?:fs|def|root)?context)=(.*)$/s

/** The option that gives all of a new file system one label. */
export const labelOption = (label: string | undefined): string[] => (label ? [`context=${label}`] : [])

/**
 * The options of a file system with that of its label, where none of them says another. Quotes around one, which keep its commas apart from others in the
 * text that mount(2) takes, are no part of it: fsconfig(2) takes each option by itself.
 */
export function labelledData(type: string, data: readonly string[], label: string | undefined): string[] {
  const own = data.map(option => option.replace(OPTION, (_, name, value) => `${name}=${unquoted(value)}`))
  if (UNLABELLED.has(type) || own.some(option => OPTION.test(option))) return own
  return [...own, ...labelOption(label)]
}

const unquoted = (value: string): string => (/^".*"$/s.test(value) ? value.slice(1, -1) : value)
