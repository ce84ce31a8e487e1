/** How many times longer than usual things may take here: more than 1 in an emulator. */
export const slowness = Number(process.env.LIBCONTAINER_TESTS_SLOWNESS ?? 1)
