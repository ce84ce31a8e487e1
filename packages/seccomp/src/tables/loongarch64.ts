// Made by scripts/syscall-tables.mjs from the kernel's headers: not for editing.
export const loongarch64 = '0 /aarch64:0-37 39 /aarch64:39-162 165 /aarch64:165-294 @'
