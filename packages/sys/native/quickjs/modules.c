/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modules come as bytecode that the executable carries, or that the build hands in when it has the image made: what is in the image needs
 * none any more. There is no other way to load one.
 */
#include "host.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* More than all modules of a program have. */
#define HANDED_IN (64u << 20)

/* What came on standard input: of each module of the table, in its order, a u64 size and the bytecode. */
static const uint8_t *handed_in;

int lc_take_modules(void)
{
	uint8_t *to = mmap(NULL, HANDED_IN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t done = 0;
	ssize_t got = 1;

	if (to == MAP_FAILED)
		return -1;
	while (got > 0 && done < HANDED_IN) {
		got = read(0, to + done, HANDED_IN - done);
		if (got < 0)
			return -1;
		done += (size_t)got;
	}
	handed_in = to;
	return 0;
}

/* The bytecode of a module of the table; NULL where there is none. */
static const uint8_t *bytecode(const struct lc_embedded *module, size_t *size)
{
	const uint8_t *at = handed_in;
	uint64_t next;

	*size = (size_t)(module->end - module->at);
	if (*size > 0 || !at)
		return module->at;
	for (const struct lc_embedded *other = lc_modules;; other++, at += next) {
		memcpy(&next, at, sizeof(next));
		at += sizeof(next);
		if (other == module)
			break;
	}
	*size = (size_t)next;
	return at;
}

/* Names are as the compiler saw them: `main.js`, `chunk-….js`. */
static const struct lc_embedded *find(const char *name)
{
	const struct lc_embedded *module = lc_modules;

	while (module->name && strcmp(module->name, name) != 0)
		module++;
	return module->name ? module : NULL;
}

static JSValue read_module(JSContext *js, const struct lc_embedded *module, const uint8_t *at, size_t size)
{
	JSValue value = JS_UNDEFINED;
	uint8_t *unpacked;

	if (module->unpacked == 0)
		return JS_ReadObject(js, at, size, JS_READ_OBJ_BYTECODE);
	unpacked = js_malloc(js, module->unpacked);
	if (!unpacked)
		return JS_EXCEPTION;
	if (lc_inflate(at, at + size, unpacked, module->unpacked))
		value = JS_ReadObject(js, unpacked, module->unpacked, JS_READ_OBJ_BYTECODE);
	else
		value = JS_ThrowInternalError(js, "module '%s' cannot be unpacked", module->name);
	js_free(js, unpacked);
	return value;
}

static JSModuleDef *load(JSContext *js, const char *name, void *with)
{
	const struct lc_embedded *module = find(name);
	const uint8_t *at;
	size_t size = 0;
	JSModuleDef *definition;
	JSValue value;

	(void)with;
	at = module ? bytecode(module, &size) : NULL;
	if (!at) {
		JS_ThrowReferenceError(js, "this executable has no module '%s'", name);
		return NULL;
	}
	value = read_module(js, module, at, size);
	if (JS_IsException(value))
		return NULL;
	/* The engine's list of modules holds it. */
	definition = JS_VALUE_GET_PTR(value);
	JS_FreeValue(js, value);
	return definition;
}

/* All modules lie in one place, so that `./chunk.js` is `chunk.js` from wherever it is imported. */
static char *normalize(JSContext *js, const char *base, const char *name, void *with)
{
	(void)base;
	(void)with;
	return js_strdup(js, strncmp(name, "./", 2) == 0 ? name + 2 : name);
}

void lc_use_modules(JSRuntime *runtime)
{
	JS_SetModuleLoaderFunc(runtime, normalize, load, NULL);
}

JSValue lc_evaluate_module(JSContext *js, const char *name)
{
	JSValue promise = JS_LoadModule(js, NULL, name), result;

	if (JS_IsException(promise))
		return promise;
	lc_loop(js);
	if (JS_PromiseState(js, promise) == JS_PROMISE_FULFILLED)
		result = JS_PromiseResult(js, promise);
	else
		result = JS_ThrowInternalError(js, "%s awaits what nothing brings while it is evaluated", name);
	JS_FreeValue(js, promise);
	return result;
}
