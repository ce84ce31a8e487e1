/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The version of what the binding of a package, the binding of sys, and JavaScript say to each other: the structures of op.h and threads.h, the
 * record of a failure, and what the functions take that node.h and sys' binding.cc export. Packages of different releases, and a build that is
 * half done, bring other ones together; without a look at this they crash. src/node/load.ts has the same number; a test holds both to the
 * contract.
 */
#ifndef LC_ABI_H
#define LC_ABI_H

#define LC_ABI "lc-abi-1"

#endif
