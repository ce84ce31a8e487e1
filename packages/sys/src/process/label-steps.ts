import { type Arg, type Step, slot } from '../step/step.js'

/*
 * What a task tells the kernel's security modules of itself: steps for `init`, and for {@link startProgram}. proc_pid_attr(5)
 */

/** A procfs that nothing can have been mounted over: while the task still may do that. See {@link Procfs}. */
export const openLabelsStep: Step = {
  op: 'openLabels',
  args: [],
  about: 'open a procfs for its labels',
  path: '/proc',
  into: 'labels',
  hints: { EXDEV: 'something is mounted over /proc, or is no procfs' },
}

/** Writes a file of /proc/thread-self/attr, after {@link openLabelsStep}. @param file - `exec`, `apparmor/exec`, `keycreate`, … */
export const writeLabelStep = (file: string, text: string, rest: Pick<Step, 'about' | 'hints' | 'onError'>): Step => ({
  op: 'writeLabel',
  args: [slot('labels'), file, text],
  path: `/proc/thread-self/attr/${file}`,
  ...rest,
})

/** Gives SELinux's label to an open file, or to the directory of a handle. @param fd - mostly a slot */
export const labelFileStep = (fd: Arg, label: string, rest: Pick<Step, 'about' | 'path' | 'onError'>): Step => ({
  op: 'labelFile',
  args: [fd, label],
  hints: {
    EOPNOTSUPP: 'this kernel runs without SELinux, or the file system takes no labels: leave the label out',
    EINVAL: 'the loaded policy knows no such label: see user, role, type and level of it',
  },
  ...rest,
})
