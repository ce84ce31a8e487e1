// What the project wants to reach, and where this run stands.
const wanted = [
  { measurement: 'run', ours: 'API, Node.js', theirs: 'crun', most: 0.4 },
  { measurement: 'run', ours: 'API, Node.js', theirs: 'libcontainer, Go', most: 0.2 },
  { measurement: 'run-seccomp', ours: 'API, Node.js', theirs: 'crun', most: 0.4 },
  { measurement: 'run-seccomp', ours: 'API, Node.js', theirs: 'libcontainer, Go', most: 0.2 },
  { measurement: 'run', ours: 'nsinit', theirs: 'crun', most: 0.7 },
]

/** A line for each goal whose two contenders took part. */
export function goals(summaries) {
  return wanted.flatMap(({ measurement, ours, theirs, most }) => {
    const found = summaries.find(({ name }) => name === measurement)?.ratios[ours]?.[theirs]
    if (found === undefined) return []
    const word = found.median <= most ? 'met   ' : 'missed'
    return [`goal ${word}  ${ours} / ${theirs}, ${measurement}: ${found.median.toFixed(2)}, wanted at most ${most}`]
  })
}
