import { notYet } from '@libcontainer/sys'

export async function run(): Promise<never> {
  throw notYet('checkpoint', '@libcontainer/criu')
}
