// Made by scripts/syscall-tables.mjs from the kernel's headers: not for editing.
export const riscv64 = '0 /aarch64:0-37 39 /aarch64:39-243 258 riscv_hwprobe riscv_flush_icache /aarch64:260-294 @'
