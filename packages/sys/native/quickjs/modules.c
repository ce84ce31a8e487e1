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

static JSValue read_module(JSContext *js, const char *name)
{
	const struct lc_embedded *module = find(name);

	if (!module)
		return JS_ThrowReferenceError(js, "this executable has no module '%s'", name);
	return JS_ReadObject(js, module->at, (size_t)(module->end - module->at), JS_READ_OBJ_BYTECODE);
}

static JSModuleDef *load(JSContext *js, const char *name, void *with)
{
	JSValue module = read_module(js, name);
	JSModuleDef *definition;

	(void)with;
	if (JS_IsException(module))
		return NULL;
	definition = JS_VALUE_GET_PTR(module);
	/* The engine's list of modules holds it. */
	JS_FreeValue(js, module);
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

JSValue lc_run_module(JSContext *js, const char *name)
{
	JSValue module = read_module(js, name);

	if (JS_IsException(module))
		return module;
	if (JS_ResolveModule(js, module) < 0) {
		JS_FreeValue(js, module);
		return JS_EXCEPTION;
	}
	return JS_EvalFunction(js, module);
}
