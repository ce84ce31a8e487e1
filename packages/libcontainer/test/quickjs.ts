import { features, probe, sys, versions } from 'libcontainer'

/** The program of quickjs.test.ts: what all packages say of themselves, in the static executable. */
const acts: Record<string, () => unknown> = {
  features,
  versions,
  async probe() {
    return Object.entries(await probe()).map(([name, { available }]) => [name, available])
  },
}
/** Called at each start; everything above was evaluated when the executable was built. */
export default async function main(): Promise<void> {
  await sys.writeFd(1, sys.encodeUtf8(`${JSON.stringify(await acts[sys.args[0]!]!())}\n`))
}
