/* SPDX-License-Identifier: Apache-2.0 */
/* Gives the build the image, and keeps out of it what belongs to one machine or one moment. */
#include "host.h"

#include <unistd.h>

int lc_write_image(void)
{
	const uint8_t *at = (const uint8_t *)&lc_image;

	lc_settle_memory();
	lc_image.used = (uint64_t)(lc_image.memory.at - lc_image.heap);
	lc_image.making = 0;
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
