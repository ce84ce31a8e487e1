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

static uint64_t have;	/* a bit for each module: none is read twice */

JSValue lc_read_module(JSContext *js, const char *name)
{
	const struct lc_embedded *module = find(name);

	if (!module)
		return JS_ThrowReferenceError(js, "this executable has no module '%s'", name);
	have |= (uint64_t)1 << (module - lc_modules) % 64;
	return JS_ReadObject(js, module->at, (size_t)(module->end - module->at), JS_READ_OBJ_BYTECODE);
}

/* A module that is imported: the engine's list of modules holds it. */
static JSModuleDef *load(JSContext *js, const char *name, void *with)
{
	JSValue module = lc_read_module(js, name);
	JSModuleDef *definition;

	(void)with;
	if (JS_IsException(module))
		return NULL;
	definition = JS_VALUE_GET_PTR(module);
	JS_FreeValue(js, module);
	return definition;
}

int lc_read_modules(JSContext *js)
{
	for (int i = 0; lc_modules[i].name; i++)
		if (!(have >> i % 64 & 1) && !load(js, lc_modules[i].name, NULL))
			return -1;
	return 0;
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
