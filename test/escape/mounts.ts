import { defaultMounts, type Mount } from '@libcontainer/mount'

/** An image whose /dev is its own: nothing is mounted on it, and all that is made in it is made in the image. */
export const withoutDev: readonly Mount[] = defaultMounts.filter(({ destination }) => !destination.startsWith('/dev'))

export const devpts: Mount = defaultMounts.find(({ destination }) => destination === '/dev/pts')!
