/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The glue of QuickJS: turns a table of ops into functions, with the same two forms and the same errors as node.h.
 *
 * There is one thread, so the off-thread form runs in line and answers a promise that is already settled.
 */
#include "host.h"

#include <string.h>

/* What src/binding.ts reads as a failure. */
struct failure {
	uint32_t step;
	int32_t error;
	char syscall[32];
	char detail[sizeof(((struct lc_ctx *)0)->detail)];
};

/*
 * An op has a number over all tables, which is its functions' `magic`. The engine makes a function of an entry when it is first asked
 * for: so the entries stay. All of it lies in the image.
 */
struct lc_tables {
	const struct lc_op **ops;
	JSCFunctionListEntry *now, *later;
	JSValue *loaded;	/* by facility: { sync, async, apply } */
};

static int integer(JSContext *js, JSValueConst value, int64_t *to)
{
	double number;

	/* A u64 above the signed range keeps its bits. */
	if (JS_IsBigInt(value))
		return JS_ToBigInt64(js, to, value);
	if (!JS_IsNumber(value))
		return -1;
	if (JS_VALUE_GET_TAG(value) == JS_TAG_INT) {
		*to = JS_VALUE_GET_INT(value);
		return 0;
	}
	if (JS_ToFloat64(js, &number, value) < 0)
		return -1;
	if (number != number)
		*to = 0;
	else if (number >= 0x1p63)
		*to = INT64_MAX;
	else if (number <= -0x1p63)
		*to = INT64_MIN;
	else
		*to = (int64_t)number;
	return 0;
}

static int read_argument(JSContext *js, const struct lc_op *op, int i, JSValueConst value, union lc_arg *to)
{
	size_t size;

	switch (op->signature[i]) {
	case 'i':
		if (integer(js, value, &to->i) == 0)
			return 0;
		break;
	case 's':
		if (JS_GetTypedArrayType(value) == JS_TYPED_ARRAY_UINT8) {
			/* A name that is no UTF-8, as C has it: NUL is its last byte, and only that. */
			const uint8_t *at = JS_GetUint8Array(js, &size, value);

			if (at && size > 0 && memchr(at, 0, size) == at + size - 1) {
				to->s = (const char *)at;
				return 0;
			}
			if (!JS_HasException(js))
				JS_ThrowTypeError(js, "%s: the bytes of a string do not end at their one NUL", op->name);
			return -1;
		}
		if (!JS_IsString(value))
			break;
		to->s = JS_ToCStringLen(js, &size, value);
		if (!to->s)
			return -1;
		if (!memchr(to->s, 0, size))
			return 0;
		JS_FreeCString(js, to->s);
		JS_ThrowTypeError(js, "%s: a string holds a NUL byte", op->name);
		return -1;
	case 'b':
	case 'o':
		if (JS_GetTypedArrayType(value) != JS_TYPED_ARRAY_UINT8)
			break;
		to->b.at = JS_GetUint8Array(js, &to->b.size, value);
		if (to->b.at || !JS_HasException(js))
			return 0;
		return -1;
	}
	JS_ThrowTypeError(js, "%s: argument %d is of the wrong kind", op->name, i + 1);
	return -1;
}

static int call(JSContext *js, int argc, JSValueConst *argv, int number, int64_t *result)
{
	const struct lc_op *op = lc_image.tables->ops[number];
	union lc_arg args[LC_MAX_ARGS] = { 0 };
	struct lc_ctx c = { 0 };
	int done = 0;

	if (!op->constant && !lc_started(js, op->name))
		return -1;
	while (op->signature[done] && read_argument(js, op, done, done < argc ? argv[done] : JS_UNDEFINED, &args[done]) == 0)
		done++;
	if (!op->signature[done])
		*result = op->call(&c, args);
	for (int i = 0; i < done; i++)
		if (op->signature[i] == 's' && JS_IsString(argv[i]))
			JS_FreeCString(js, args[i].s);
	return op->signature[done] ? -1 : 0;
}

static JSValue call_now(JSContext *js, JSValueConst self, int argc, JSValueConst *argv, int number)
{
	int64_t result;

	(void)self;
	return call(js, argc, argv, number, &result) < 0 ? JS_EXCEPTION : JS_NewInt64(js, result);
}

static JSValue call_later(JSContext *js, JSValueConst self, int argc, JSValueConst *argv, int number)
{
	int64_t result;

	(void)self;
	return call(js, argc, argv, number, &result) < 0 ? JS_EXCEPTION : JS_NewSettledPromise(js, false, JS_NewInt64(js, result));
}

/* sys' own ops, which a batch of any facility may name beside that facility's. */
static const struct lc_op *common_ops(void)
{
	for (const struct lc_facility *facility = lc_facilities; facility->name; facility++)
		if (strcmp(facility->name, "sys") == 0)
			return facility->ops;
	return NULL;
}

/* `results`: what each slot holds; -1 for one that no step filled. */
static int64_t run_plan(const struct lc_op *table, const uint8_t *at, size_t size, struct failure *failure, int64_t results[LC_MAX_SLOTS])
{
	const struct lc_op *tables[] = { table, common_ops(), NULL };
	struct lc_ctx c = { 0 };
	struct lc_plan plan;
	uint32_t step = 0;
	int64_t result = lc_plan_open(&c, &plan, at, size, tables);

	while (result == 0 && step < plan.steps) {
		result = lc_plan_step(&c, &plan, step);
		if (result == 0)
			step++;
	}
	for (size_t i = 0; i < LC_MAX_SLOTS; i++)
		results[i] = plan.slots[i].kind == 1 ? plan.slots[i].i : -1;
	if (result == 0)
		return 0;
	failure->step = step;
	failure->error = (int32_t)-result;
	strncpy(failure->syscall, c.syscall ? c.syscall : "", sizeof(failure->syscall) - 1);
	memcpy(failure->detail, c.detail, sizeof(failure->detail));
	return result;
}

/* apply(plan, failure); `number` is the facility's. */
static JSValue apply(JSContext *js, JSValueConst self, int argc, JSValueConst *argv, int number)
{
	struct failure failure = { 0 };
	int64_t results[LC_MAX_SLOTS];
	size_t size = 0, room = 0;
	uint8_t *plan, *to;
	int64_t result;

	(void)self;
	if (!lc_started(js, "apply"))
		return JS_EXCEPTION;
	if (argc < 2 || JS_GetTypedArrayType(argv[0]) != JS_TYPED_ARRAY_UINT8 || JS_GetTypedArrayType(argv[1]) != JS_TYPED_ARRAY_UINT8)
		return JS_ThrowTypeError(js, "apply: takes a plan and a buffer for its failure");
	plan = JS_GetUint8Array(js, &size, argv[0]);
	to = JS_GetUint8Array(js, &room, argv[1]);
	if (JS_HasException(js))
		return JS_EXCEPTION;
	result = run_plan(lc_facilities[number].ops, plan, size, &failure, results);
	if (room >= sizeof(failure)) {
		room -= sizeof(failure);
		memcpy(to, &failure, sizeof(failure));
		memcpy(to + sizeof(failure), results, room < sizeof(results) ? room : sizeof(results));
	}
	return JS_NewSettledPromise(js, false, JS_NewInt64(js, result));
}

static void describe(JSCFunctionListEntry *entry, const char *name, JSCFunctionMagic *function, int magic)
{
	*entry = (JSCFunctionListEntry)JS_CFUNC_MAGIC_DEF(name, 0, function, (int16_t)magic);
}

static JSValue make_table(JSContext *js, struct lc_tables *tables, int number, int *next)
{
	JSValue result = JS_NewObject(js), sync = JS_NewObject(js), async = JS_NewObject(js);
	int first = *next;

	for (const struct lc_op *op = lc_facilities[number].ops; op->name; op++, ++*next) {
		tables->ops[*next] = op;
		describe(&tables->now[*next], op->name, call_now, *next);
		describe(&tables->later[*next], op->name, call_later, *next);
	}
	if (JS_SetPropertyFunctionList(js, sync, tables->now + first, *next - first) < 0 ||
	    JS_SetPropertyFunctionList(js, async, tables->later + first, *next - first) < 0)
		return JS_EXCEPTION;
	JS_SetPropertyStr(js, result, "sync", sync);
	JS_SetPropertyStr(js, result, "async", async);
	JS_SetPropertyStr(js, result, "apply", JS_NewCFunctionMagic(js, apply, "apply", 2, JS_CFUNC_generic_magic, number));
	return result;
}

int lc_make_tables(JSContext *js)
{
	struct lc_tables *tables = js_mallocz(js, sizeof(*tables));
	size_t facilities = 0, ops = 0;
	int next = 0;

	for (; lc_facilities[facilities].name; facilities++)
		for (const struct lc_op *op = lc_facilities[facilities].ops; op->name; op++)
			ops++;
	if (!tables || ops > INT16_MAX)
		return -1;
	tables->ops = js_malloc(js, ops * sizeof(*tables->ops));
	tables->now = js_malloc(js, ops * sizeof(*tables->now));
	tables->later = js_malloc(js, ops * sizeof(*tables->later));
	tables->loaded = js_malloc(js, facilities * sizeof(*tables->loaded));
	if (!tables->ops || !tables->now || !tables->later || !tables->loaded)
		return -1;
	lc_image.tables = tables;
	for (size_t i = 0; i < facilities; i++) {
		tables->loaded[i] = make_table(js, tables, (int)i, &next);
		if (JS_IsException(tables->loaded[i]))
			return -1;
	}
	return 0;
}

JSValue lc_load_table(JSContext *js, JSValueConst self, int argc, JSValueConst *argv)
{
	const char *name = JS_ToCString(js, argc > 0 ? argv[0] : JS_UNDEFINED);
	int i = 0;

	(void)self;
	if (!name)
		return JS_EXCEPTION;
	while (lc_facilities[i].name && strcmp(lc_facilities[i].name, name) != 0)
		i++;
	JS_FreeCString(js, name);
	return lc_facilities[i].name ? JS_DupValue(js, lc_image.tables->loaded[i]) : JS_UNDEFINED;
}
