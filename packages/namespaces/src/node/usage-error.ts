/** The command line is at fault. */
export class UsageError extends Error {}
