import { type ResolvedConfig, resolveConfig } from '../config/resolve.js'
import type { Era } from '../state/eras.js'
import { readConfig2015, readConfig2026 } from './index.js'

/** The config of such a state, in this library's words. @throws {ConfigInvalid} for what cannot be said in them */
export function configOf(era: Era, id: string, config: unknown): ResolvedConfig {
  const read = era === '2015' ? readConfig2015 : readConfig2026
  return resolveConfig(id, read(config).config)
}
