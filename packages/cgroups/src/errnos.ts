/** What the ops answer where the room for an answer is too small. */
export const ERANGE = -34

const [ENOENT, ENODEV, ENOTDIR] = [-2, -19, -20]

/** Whether what a file of a cgroup answers, an errno or its text, is that its cgroup is not there, or goes. */
export const isGone = (answer: string | number): boolean => answer === ENOENT || answer === ENODEV || answer === ENOTDIR
