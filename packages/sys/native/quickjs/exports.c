/* SPDX-License-Identifier: Apache-2.0 */
/* The module `lc:host`: what src/quickjs/host.ts builds on. */
#include "host.h"

#include <string.h>
#include <unistd.h>

extern char **environ;

static JSValue texts(JSContext *js, char **strings)
{
	JSValue array = JS_NewArray(js);

	for (int64_t i = 0; strings[i]; i++)
		if (JS_SetPropertyInt64(js, array, i, lc_text(js, strings[i], strlen(strings[i]))) < 0)
			return JS_EXCEPTION;
	return array;
}

/* onStart(callback): called first, with the command line, the program's name first. */
static JSValue set_on_start(JSContext *js, JSValueConst self, int argc, JSValueConst *argv)
{
	(void)self;
	if (argc < 1 || !JS_IsFunction(js, argv[0]))
		return JS_ThrowTypeError(js, "onStart: takes a function");
	JS_FreeValue(js, lc_image.on_start);
	lc_image.on_start = JS_DupValue(js, argv[0]);
	return JS_UNDEFINED;
}

int lc_begin(JSContext *js, char **argv)
{
	JSValue arguments = texts(js, argv);
	JSValue result = JS_Call(js, lc_image.on_start, JS_UNDEFINED, 1, (JSValueConst *)&arguments);

	JS_FreeValue(js, arguments);
	JS_FreeValue(js, result);
	return JS_IsException(result) ? -1 : 0;
}

static int put_variable(JSContext *js, JSValueConst to, const char *entry)
{
	/* A name may begin with the sign that ends it. */
	const char *equals = *entry ? strchr(entry + 1, '=') : NULL;
	const char *value = equals ? equals + 1 : "";
	JSValue name = lc_text(js, entry, equals ? (size_t)(equals - entry) : strlen(entry));
	JSAtom atom = JS_ValueToAtom(js, name);
	int result = atom == JS_ATOM_NULL ? -1 : JS_SetProperty(js, to, atom, lc_text(js, value, strlen(value)));

	JS_FreeAtom(js, atom);
	JS_FreeValue(js, name);
	return result;
}

/* readEnvironment(object): its properties become the variables. Of two of one name the first counts, as for getenv(3): it is put last. */
static JSValue read_environment(JSContext *js, JSValueConst self, int argc, JSValueConst *argv)
{
	size_t count = 0;

	(void)self;
	if (argc < 1 || !JS_IsObject(argv[0]))
		return JS_ThrowTypeError(js, "readEnvironment: takes an object");
	while (environ[count])
		count++;
	while (count-- > 0)
		if (put_variable(js, argv[0], environ[count]) < 0)
			return JS_EXCEPTION;
	return JS_UNDEFINED;
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
	JS_CFUNC_DEF("onStart", 1, set_on_start),
	JS_CFUNC_DEF("readEnvironment", 1, read_environment),
	JS_CFUNC_DEF("version", 0, get_version),
	JS_CFUNC_DEF("embedded", 1, get_embedded),
	JS_CFUNC_DEF("exit", 1, end),
	JS_CFUNC_DEF("becomeProgram", 3, lc_become_program),
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

int lc_add_host_module(JSContext *js)
{
	JSModuleDef *module = JS_NewCModule(js, "lc:host", fill);

	return module ? JS_AddModuleExportList(js, module, functions, FUNCTIONS) : -1;
}
