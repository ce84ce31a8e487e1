/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last that a child does which is a copy of the caller's memory (see child.h): its descriptors, and the program. What fails is told by the name of
 * the system call, with errno; NULL is success.
 */
#ifndef LC_EXECUTE_H
#define LC_EXECUTE_H

#include "list.h"

/* Puts fds[n] on descriptor n; -1 leaves n closed. The others stay as they are. */
const char *lc_arrange(int32_t *fds, int count);

/* Executes the first of `paths` that can be, as execvp(3). Before argv[0] there is room for one more. */
const char *lc_execute(const struct lc_bytes *paths, char **argv, char **env);

/* Counts, or with `to` points at, each of the strings; behind the last comes NULL. */
size_t lc_point_at(char **to, const struct lc_bytes *strings);

#endif
