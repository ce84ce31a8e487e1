/** Where execvp(3) would look for a program, in order. Pure. @param env - `NAME=value`, each */
export function searchPaths(file: string, env: readonly string[]): string[] {
  if (file.includes('/')) return [file]
  const path = env.find(entry => entry.startsWith('PATH='))?.slice('PATH='.length) ?? '/bin:/usr/bin'
  // An empty part is the working directory.
  return path.split(':').map(folder => (folder === '' ? file : `${folder}/${file}`))
}
