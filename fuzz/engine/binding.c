/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer for JavaScript: it makes the inputs, and keeps those that reach something new by the counters that instrument.mjs wrote into the
 * code. run(arguments, counters, call) does not return: libFuzzer ends the process.
 */
#include <node_api.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*call)(const uint8_t *data, size_t size));
void __sanitizer_cov_8bit_counters_init(uint8_t *start, uint8_t *stop);
void __sanitizer_cov_pcs_init(const uintptr_t *start, const uintptr_t *stop);

static napi_env engine;
static napi_ref function;

/* Any misuse of Node-API, and any exception of the function, ends the process by a signal: libFuzzer then writes the input to a file. */
static void must(napi_status status)
{
	if (status != napi_ok)
		abort();
}

static int call(const uint8_t *data, size_t size)
{
	napi_handle_scope scope;
	napi_value target, input, nothing;

	must(napi_open_handle_scope(engine, &scope));
	must(napi_get_reference_value(engine, function, &target));
	must(napi_create_buffer_copy(engine, size, data, NULL, &input));
	must(napi_get_undefined(engine, &nothing));
	must(napi_call_function(engine, nothing, target, 1, &input, NULL));
	must(napi_close_handle_scope(engine, scope));
	return 0;
}

static char *text(napi_env env, napi_value value)
{
	size_t size;
	char *at;

	must(napi_get_value_string_utf8(env, value, NULL, 0, &size));
	at = malloc(size + 1);
	must(napi_get_value_string_utf8(env, value, at, size + 1, &size));
	return at;
}

static napi_value run(napi_env env, napi_callback_info info)
{
	napi_value a[3], item;
	size_t given = 3, edges;
	uint32_t count;
	uint8_t *counters;
	uintptr_t *places;
	char **argv;
	int argc;

	engine = env;
	must(napi_get_cb_info(env, info, &given, a, NULL, NULL));
	must(napi_get_array_length(env, a[0], &count));
	argv = calloc(count + 1, sizeof(*argv));
	for (uint32_t i = 0; i < count; i++) {
		must(napi_get_element(env, a[0], i, &item));
		argv[i] = text(env, item);
	}
	must(napi_get_typedarray_info(env, a[1], NULL, &edges, (void **)&counters, NULL, NULL));
	must(napi_create_reference(env, a[2], 1, &function));
	/* Each counter wants a place in the program, with flags: any number that is its own serves. */
	places = calloc(edges * 2, sizeof(*places));
	for (size_t i = 0; i < edges; i++)
		places[2 * i] = i + 1;
	__sanitizer_cov_8bit_counters_init(counters, counters + edges);
	__sanitizer_cov_pcs_init(places, places + edges * 2);
	argc = (int)count;
	exit(LLVMFuzzerRunDriver(&argc, &argv, call));
}

NAPI_MODULE_INIT()
{
	napi_value result;

	must(napi_create_function(env, "run", NAPI_AUTO_LENGTH, run, NULL, &result));
	return result;
}
