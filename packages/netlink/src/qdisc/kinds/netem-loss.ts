import { ConfigInvalid } from '@libcontainer/sys'
import type { ValuesOf } from '../../message/attributes.js'
import { MAX_U32 } from '../../message/words.js'
import { percentOf, probability } from '../tc-rate.js'
import type { lossAttributes } from './netem-attributes.js'

/**
 * Losses that come in bursts.
 * - `gilbert`: the Gilbert-Elliott model, a good state and a bad one, and what is lost in each;
 * - `states`: four states, of which `p14` is a single loss in good times and the others lead in and out of a burst.
 */
export type NetemLossModel =
  | {
      model: 'gilbert'
      /** From the good state to the bad one. */
      toBadPercent: number
      /** From the bad state to the good one. */
      toGoodPercent: number
      /** Lost in the bad state. Default: 100 */
      badLossPercent?: number | undefined
      /** Lost in the good state. Default: 0 */
      goodLossPercent?: number | undefined
    }
  | {
      model: 'states'
      p13Percent: number
      p31Percent: number
      p32Percent: number
      p23Percent: number
      p14Percent: number
    }

/** As the attributes have it. @throws {ConfigInvalid} that names the field behind `field` */
export function lossValues(model: NetemLossModel, field: string): ValuesOf<typeof lossAttributes> {
  if (model.model === 'gilbert') {
    const { toBadPercent, toGoodPercent, badLossPercent = 100, goodLossPercent = 0 } = model
    return {
      gilbert: {
        p: probability(toBadPercent, `${field}.toBadPercent`),
        r: probability(toGoodPercent, `${field}.toGoodPercent`),
        // The kernel has the share that passes.
        h: probability(100 - badLossPercent, `${field}.badLossPercent`),
        k1: probability(goodLossPercent, `${field}.goodLossPercent`),
      },
    }
  }
  if (model.model !== 'states')
    throw new ConfigInvalid(`${field}.model`, (model as { model: unknown }).model, 'must be gilbert or states')
  return {
    states: {
      p13: probability(model.p13Percent, `${field}.p13Percent`),
      p31: probability(model.p31Percent, `${field}.p31Percent`),
      p32: probability(model.p32Percent, `${field}.p32Percent`),
      p14: probability(model.p14Percent, `${field}.p14Percent`),
      p23: probability(model.p23Percent, `${field}.p23Percent`),
    },
  }
}

/** What the attributes tell; `undefined` for a model that is neither. */
export function readLoss({ gilbert, states }: ValuesOf<typeof lossAttributes>): NetemLossModel | undefined {
  if (gilbert !== undefined) {
    const { p = 0, r = 0, h = 0, k1 = 0 } = gilbert
    return {
      model: 'gilbert',
      toBadPercent: percentOf(p),
      toGoodPercent: percentOf(r),
      badLossPercent: percentOf(MAX_U32 - h),
      goodLossPercent: percentOf(k1),
    }
  }
  if (states === undefined) return undefined
  const { p13 = 0, p31 = 0, p32 = 0, p14 = 0, p23 = 0 } = states
  return {
    model: 'states',
    p13Percent: percentOf(p13),
    p31Percent: percentOf(p31),
    p32Percent: percentOf(p32),
    p23Percent: percentOf(p23),
    p14Percent: percentOf(p14),
  }
}
