/** A part of the program that is loaded when it is needed. */
export const part = 'loaded when needed'
