import { printJson } from '@libcontainer/cli'
import { featuresDocument } from '@libcontainer/oci'
import { version } from '#version'

/** Prints what this runtime can do, whatever the host: OCI's features document. */
export async function run(): Promise<number> {
  await printJson(featuresDocument({ version: version() }))
  return 0
}
