/* SPDX-License-Identifier: Apache-2.0 */
/* Gives the build the image, and keeps out of it what belongs to one machine or one moment. */
#include "host.h"

#include <unistd.h>

/*
 * The engine cuts small blocks from pages of its own, by size. A free one in the image would be taken first, each on another page, which the
 * kernel must then copy: so they are taken now, for good, and a run gets its small blocks from new memory that is mapped at once.
 */
static void take_free_blocks(void)
{
	for (size_t size = 16; size <= 512; size += size < 128 ? 8 : size < 256 ? 16 : 32) {
		uint64_t before = lc_image.requests;
		void *block;

		/* The engine's header is a part of the size. */
		do
			block = js_malloc_rt(lc_image.runtime, size - 8);
		while (block && lc_image.requests == before);
		/* The first one of a new page: without it that page is given back. */
		js_free_rt(lc_image.runtime, block);
	}
}

int lc_write_image(void)
{
	const uint8_t *at = (const uint8_t *)&lc_image;

	take_free_blocks();
	lc_settle_memory();
	lc_image.used = (uint64_t)(lc_image.memory.at - lc_image.heap);
	lc_image.making = 0;
	lc_pin_objects(lc_image.runtime);
	while (at < lc_image_end) {
		ssize_t put = write(1, at, (size_t)(lc_image_end - at));

		if (put < 0)
			return 1;
		at += put;
	}
	return 0;
}

bool lc_started(JSContext *js, const char *what)
{
	if (!lc_image.started)
		JS_ThrowInternalError(js, "%s: not while a module is evaluated, which happens when the executable is built", what);
	return lc_image.started;
}
