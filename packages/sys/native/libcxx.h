/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the glue asks of C++'s library beside its headers, where that is LLVM's, as zig's is: so a prebuild links none of it. Linked in, it
 * is 220 kB of each binding, and minutes of compiling it for each target. `operator new` and its kin and libc++'s abort are there to be
 * replaced; strings are made from their template here.
 */
#ifndef LC_LIBCXX_H
#define LC_LIBCXX_H

#include <string>

#ifdef _LIBCPP_VERSION
#include <cstdlib>

template class std::basic_string<char>;

[[noreturn]] void std::__libcpp_verbose_abort(const char*, ...) noexcept { std::abort(); }
extern "C" [[noreturn, gnu::visibility("hidden")]] void __cxa_pure_virtual() { std::abort(); }

void* operator new(std::size_t size) {
  void* at = std::malloc(size == 0 ? 1 : size);
  if (at == nullptr) std::abort();
  return at;
}
void* operator new[](std::size_t size) { return operator new(size); }
void operator delete(void* at) noexcept { std::free(at); }
void operator delete[](void* at) noexcept { std::free(at); }
void operator delete(void* at, std::size_t) noexcept { std::free(at); }
void operator delete[](void* at, std::size_t) noexcept { std::free(at); }
#endif
#endif
