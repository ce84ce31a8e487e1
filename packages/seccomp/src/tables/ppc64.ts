// Made by scripts/syscall-tables.mjs from the kernel's headers: not for editing.
export const ppc64 =
  '0 /ppc:0-191 198 /ppc:198-203 205 /ppc:205-225 227 /ppc:227-253 255 /ppc:255-290 newfstatat /ppc:292-388 392 semtimedop /ppc:393-402 -memfd_secret @'
