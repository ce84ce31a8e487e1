// Made by scripts/syscall-tables.mjs from the kernel's headers: not for editing.
export const parisc64 = '0 /parisc:0-356 -memfd_secret @'
