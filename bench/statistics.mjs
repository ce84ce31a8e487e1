export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/**
 * How `ours` stands to `theirs`: the median of the ratios of each round, whose two runs were made one right after the other under the
 * same load; and the ratio of the quickest runs, which is what is left when nobody else uses the machine.
 */
export const ratio = (ours, theirs) => ({
  median: median(ours.map((each, i) => each / theirs[i])),
  min: Math.min(...ours) / Math.min(...theirs),
})

/** Rounds in which each contender has one turn, the order moved on by one every round. `results` by name. */
export async function interleave(contenders, rounds, measure, { warmUp = 2 } = {}) {
  const results = new Map(contenders.map(({ name }) => [name, []]))
  for (let round = -warmUp; round < rounds; round++) {
    for (let i = 0; i < contenders.length; i++) {
      const contender = contenders[(i + round + warmUp) % contenders.length]
      const value = await measure(contender)
      if (round >= 0) results.get(contender.name).push(value)
    }
  }
  return results
}
