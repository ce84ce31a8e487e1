/**
 * A field of mountinfo as it is: the kernel writes space, tab, newline, backslash and `#` in it as a backslash and three octal digits of a byte. Pure.
 * proc_pid_mountinfo(5), seq_path(9).
 */
export function unescapedField(text: string): string {
  return text.includes('\\')
    ? text.replace(/\\([0-3][0-7]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
    : text
}
