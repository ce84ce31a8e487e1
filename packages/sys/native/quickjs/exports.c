/* SPDX-License-Identifier: Apache-2.0 */
/* The module `lc:host`: what src/quickjs/host.ts builds on. */
#include "host.h"

#include <string.h>
#include <unistd.h>

extern char **environ;

static char **arguments;
static int argument_count;

static JSValue texts(JSContext *js, char **strings, int64_t size)
{
	JSValue array = JS_NewArray(js);

	for (int64_t i = 0; i < size; i++)
		if (JS_SetPropertyInt64(js, array, i, lc_text(js, strings[i], strlen(strings[i]))) < 0)
			return JS_EXCEPTION;
	return array;
}

/* argv(): the program's name first. */
static JSValue get_argv(JSContext *js, JSValueConst self, int argc, JSValueConst *argv)
{
	(void)self, (void)argc, (void)argv;
	return texts(js, arguments, argument_count);
}

/* environment(): `NAME=value` each. */
static JSValue get_environment(JSContext *js, JSValueConst self, int argc, JSValueConst *argv)
{
	int64_t size = 0;

	(void)self, (void)argc, (void)argv;
	while (environ[size])
		size++;
	return texts(js, environ, size);
}

/* embedded(name): the bytes of a file that the executable carries, as they lie there; undefined for none. */
static JSValue get_embedded(JSContext *js, JSValueConst self, int argc, JSValueConst *argv)
{
	const struct lc_embedded *file = lc_files;
	const char *name = JS_ToCString(js, argc > 0 ? argv[0] : JS_UNDEFINED);

	(void)self;
	if (!name)
		return JS_EXCEPTION;
	while (file->name && strcmp(file->name, name) != 0)
		file++;
	JS_FreeCString(js, name);
	if (!file->name)
		return JS_UNDEFINED;
	return JS_NewUint8Array(js, (uint8_t *)(uintptr_t)file->at, (size_t)(file->end - file->at), NULL, NULL, false);
}

/* exit(status): at once. Nothing is buffered, and the kernel takes the memory back faster than the engine could. */
static JSValue end(JSContext *js, JSValueConst self, int argc, JSValueConst *argv)
{
	int32_t status = 0;

	(void)self;
	if (argc > 0 && JS_ToInt32(js, &status, argv[0]) < 0)
		return JS_EXCEPTION;
	_exit(status & 0xff);
}

static JSValue get_version(JSContext *js, JSValueConst self, int argc, JSValueConst *argv)
{
	(void)self, (void)argc, (void)argv;
	return JS_NewString(js, JS_GetVersion());
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("argv", 0, get_argv),
	JS_CFUNC_DEF("environment", 0, get_environment),
	JS_CFUNC_DEF("version", 0, get_version),
	JS_CFUNC_DEF("embedded", 1, get_embedded),
	JS_CFUNC_DEF("exit", 1, end),
	JS_CFUNC_DEF("loadTable", 1, lc_load_table),
	JS_CFUNC_DEF("watch", 3, lc_watch),
	JS_CFUNC_DEF("timer", 2, lc_timer),
	JS_CFUNC_DEF("cancel", 1, lc_cancel),
	JS_CFUNC_DEF("encodeUtf8", 1, lc_encode_utf8),
	JS_CFUNC_DEF("decodeUtf8", 1, lc_decode_utf8),
};

#define FUNCTIONS ((int)(sizeof(functions) / sizeof(*functions)))

static int fill(JSContext *js, JSModuleDef *module)
{
	return JS_SetModuleExportList(js, module, functions, FUNCTIONS);
}

int lc_add_host_module(JSContext *js, int argc, char **argv)
{
	JSModuleDef *module = JS_NewCModule(js, "lc:host", fill);

	arguments = argv;
	argument_count = argc;
	return module ? JS_AddModuleExportList(js, module, functions, FUNCTIONS) : -1;
}
