/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modules come as bytecode that the executable carries; there is no other way to load one. A program that is split into modules
 * reads only those that its command needs.
 */
#include "host.h"

#include <string.h>

/* Names are as the compiler saw them: `main.js`, `chunk-….js`. */
static const struct lc_embedded *find(const char *name)
{
	const struct lc_embedded *module = lc_modules;

	while (module->name && strcmp(module->name, name) != 0)
		module++;
	return module->name ? module : NULL;
}

static JSModuleDef *load(JSContext *js, const char *name, void *with)
{
	const struct lc_embedded *module = find(name);
	JSModuleDef *definition;
	JSValue value;

	(void)with;
	if (!module) {
		JS_ThrowReferenceError(js, "this executable has no module '%s'", name);
		return NULL;
	}
	value = JS_ReadObject(js, module->at, (size_t)(module->end - module->at), JS_READ_OBJ_BYTECODE);
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
