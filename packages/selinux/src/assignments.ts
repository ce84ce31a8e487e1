/**
 * Lines such as `name = "value"`, as the policy's files and /etc/selinux/config have them: blanks around both, quotes around the value, comments
 * behind `#` or `;` at the start of a line. Of a name that is there twice the last counts; what is no assignment is passed over. Pure.
 */
export function readAssignments(text: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const line of text.split('\n')) {
    const bare = line.trim()
    const equals = bare.indexOf('=')
    if (equals <= 0 || bare.startsWith('#') || bare.startsWith(';')) continue
    const value = bare.slice(equals + 1).trim()
    found.set(
      bare.slice(0, equals).trim(),
      /^(["']).*\1$/s.test(value) && value.length > 1 ? value.slice(1, -1) : value,
    )
  }
  return found
}
