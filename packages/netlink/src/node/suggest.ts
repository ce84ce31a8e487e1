/** The word that was most likely meant; `undefined` where none is near. Pure. */
export function nearest(word: string, words: Iterable<string>): string | undefined {
  let best: string | undefined
  // A third of what was written may be wrong, and one letter of a short word.
  let least = Math.max(1, Math.floor(word.length / 3)) + 1
  for (const each of words) {
    const far = word.length > 1 && each.startsWith(word) ? 1 : distance(word, each)
    if (far < least) [best, least] = [each, far]
  }
  return best
}

/** How many letters are to be put in, left out, changed, or swapped with the next. */
export function distance(a: string, b: string): number {
  let [before, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      row[j] = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        row[j] = Math.min(row[j]!, before[j - 2]! + 1)
    }
    before = last
    last = row
  }
  return last[b.length]!
}

/** "; did you mean 'link'?", or nothing. Pure. */
export function didYouMean(word: string, words: Iterable<string>): string {
  const meant = nearest(word, words)
  return meant === undefined ? '' : `; did you mean '${meant}'?`
}
