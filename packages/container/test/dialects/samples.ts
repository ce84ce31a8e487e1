import { fileURLToPath } from 'node:url'

/** The folder of the configs that people are given to begin with. */
export const sampleFolder = fileURLToPath(new URL('../../../../sample_configs', import.meta.url))

/** How many capabilities a line of /proc/self/status has. */
export const bounding = (line = ''): number =>
  BigInt(`0x${line.split('\t')[1]}`)
    .toString(2)
    .replaceAll('0', '').length
