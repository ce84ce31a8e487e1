/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LC_LIST_H
#define LC_LIST_H

#include <string.h>

#include "op.h"

/* What ops take as a list: strings one after another, each ended by NUL. */
struct lc_list {
	const char *at;
	const char *end;
};

static inline struct lc_list lc_list_of(const struct lc_bytes *b)
{
	struct lc_list list = { (const char *)b->at, (const char *)b->at + b->size };

	return list;
}

/* The next string of the list; NULL at its end and for a string that nothing ends. */
static inline const char *lc_next(struct lc_list *list)
{
	const char *string = list->at;
	const char *end = list->at == list->end ? NULL : memchr(list->at, 0, (size_t)(list->end - list->at));

	if (!end)
		return NULL;
	list->at = end + 1;
	return string;
}

#endif
