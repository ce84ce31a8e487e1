/* SPDX-License-Identifier: Apache-2.0 */
/* The executable becomes another program and stays the same process: its children and their pidfds are kept. */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif
#define MAX_KEPT 16

extern char **environ;

static int64_t length(JSContext *js, JSValueConst array)
{
	int64_t size = 0;

	return JS_GetLength(js, array, &size) < 0 ? -1 : size;
}

/* The descriptors of an array; -1 with an exception where it holds something else. */
static int64_t take_descriptors(JSContext *js, JSValueConst array, int32_t *to)
{
	int64_t size = length(js, array);

	if (size > MAX_KEPT) {
		JS_ThrowRangeError(js, "more than %d descriptors to keep", MAX_KEPT);
		return -1;
	}
	for (int64_t i = 0; i < size; i++) {
		JSValue value = JS_GetPropertyInt64(js, array, i);
		int failed = JS_ToInt32(js, &to[i], value);

		JS_FreeValue(js, value);
		if (failed)
			return -1;
	}
	return size;
}

static void free_texts(JSContext *js, const char **texts)
{
	for (const char **at = texts; *at; at++)
		JS_FreeCString(js, *at);
	js_free(js, texts);
}

/* The strings of an array, and NULL. */
static const char **take_texts(JSContext *js, JSValueConst array)
{
	int64_t size = length(js, array);
	const char **texts = size < 0 ? NULL : js_mallocz(js, ((size_t)size + 1) * sizeof(*texts));

	for (int64_t i = 0; texts && i < size; i++) {
		JSValue value = JS_GetPropertyInt64(js, array, i);

		texts[i] = JS_ToCString(js, value);
		JS_FreeValue(js, value);
		if (!texts[i]) {
			free_texts(js, texts);
			return NULL;
		}
	}
	return texts;
}

/* becomeProgram(fd, argv, keep): comes back only when it failed, with -errno. */
JSValue lc_become_program(JSContext *js, JSValueConst self, int argc, JSValueConst *argv)
{
	int32_t fd, keep[MAX_KEPT];
	const char **texts;
	int64_t kept;
	int error;

	(void)self;
	if (argc < 3 || JS_ToInt32(js, &fd, argv[0]) < 0)
		return JS_HasException(js) ? JS_EXCEPTION : JS_ThrowTypeError(js, "becomeProgram: takes a descriptor and two arrays");
	kept = take_descriptors(js, argv[2], keep);
	texts = kept < 0 ? NULL : take_texts(js, argv[1]);
	if (!texts)
		return JS_EXCEPTION;
	for (int64_t i = 0; i < kept; i++)
		fcntl(keep[i], F_SETFD, 0);
	syscall(SYS_execveat, fd, "", texts, environ, AT_EMPTY_PATH);
	error = errno;
	for (int64_t i = 0; i < kept; i++)
		fcntl(keep[i], F_SETFD, FD_CLOEXEC);
	free_texts(js, texts);
	return JS_NewInt32(js, -error);
}
