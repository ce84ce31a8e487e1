/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiles one module to bytecode: compile NAME <source >bytecode. Runs on the machine that builds; the executable itself has no parser.
 * The source is left out, lines and functions' names are kept, so that a defect says where it arose.
 */
#include <quickjs.h>

#include <stdio.h>
#include <stdlib.h>

static char *read_all(size_t *size)
{
	char *text = NULL;
	size_t room = 0, got;

	*size = 0;
	do {
		room += 1 << 20;
		text = realloc(text, room + 1);
		if (!text)
			exit(1);
		got = fread(text + *size, 1, room - *size, stdin);
		*size += got;
	} while (*size == room);
	text[*size] = 0;
	return text;
}

/* What a module imports is not there yet; an empty module stands for it, since names are bound when the executable runs. */
static int nothing(JSContext *js, JSModuleDef *module)
{
	(void)js, (void)module;
	return 0;
}

static JSModuleDef *stand_in(JSContext *js, const char *name, void *with)
{
	(void)with;
	return JS_NewCModule(js, name, nothing);
}

int main(int argc, char **argv)
{
	JSRuntime *runtime = JS_NewRuntime();
	JSContext *js = JS_NewContext(runtime);
	size_t size, length;
	char *text;
	uint8_t *bytes;
	JSValue module;

	if (argc != 2)
		return 2;
	text = read_all(&length);
	JS_SetModuleLoaderFunc(runtime, NULL, stand_in, NULL);
	module = JS_Eval(js, text, length, argv[1], JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
	if (JS_IsException(module)) {
		JSValue error = JS_GetException(js);
		JSValue stack = JS_GetPropertyStr(js, error, "stack");

		fprintf(stderr, "%s\n%s\n", JS_ToCString(js, error), JS_ToCString(js, stack));
		return 1;
	}
	bytes = JS_WriteObject(js, &size, module, JS_WRITE_OBJ_BYTECODE | JS_WRITE_OBJ_STRIP_SOURCE);
	return bytes && fwrite(bytes, 1, size, stdout) == size && fflush(stdout) == 0 ? 0 : 1;
}
