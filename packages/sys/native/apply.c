/* SPDX-License-Identifier: Apache-2.0 */
/* The interpreter of plans. The layout is told in src/plan.ts; everything read from the bytes is checked once, when opened. */
#include "apply.h"

#include <string.h>

#define MAGIC 0x3150434cu
#define HEADER 32u
#define MAX_STEPS 4096u
#define MAX_DEPTH 8	/* of alternatives of alternatives */

struct step {
	uint16_t op, args, into, alternatives;
	uint32_t args_at, alternatives_at;
	uint64_t reserved;
};

struct arg {
	uint32_t kind, size;
	int64_t value;
};

struct alternative {
	int32_t error, step;
};

enum { ARG_INTEGER, ARG_SLOT, ARG_STRING, ARG_BYTES };
enum { SLOT_EMPTY, SLOT_INTEGER, SLOT_BYTES };

static uint32_t u32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* Does an array of `count` items of `size` at `offset` lie inside the plan, aligned? */
static int holds(const struct lc_plan *plan, uint64_t offset, uint64_t count, uint64_t size, uint64_t align)
{
	return offset % align == 0 && offset <= plan->size && count <= (plan->size - offset) / size;
}

static const struct step *step_at(const struct lc_plan *plan, uint32_t i)
{
	size_t steps_at = (HEADER + u32(plan->at + 16) * 4 + 7) & ~(size_t)7;

	return (const struct step *)(plan->at + steps_at) + i;
}

static const struct lc_op *find_op(const char *name, const struct lc_op *const *tables)
{
	for (; *tables; tables++)
		for (const struct lc_op *op = *tables; op->name; op++)
			if (strcmp(op->name, name) == 0)
				return op;
	return NULL;
}

static int64_t bad(struct lc_ctx *c, const char *why)
{
	lc_detail(c, why);
	return lc_refuse(c, "plan", EINVAL);
}

static int64_t check_arg(struct lc_ctx *c, const struct lc_plan *plan, const struct arg *arg, char letter)
{
	switch (arg->kind) {
	case ARG_INTEGER:
		return letter == 'i' ? 0 : bad(c, "an integer where a string or bytes belong");
	case ARG_SLOT:
		return arg->value >= 0 && arg->value < LC_MAX_SLOTS ? 0 : bad(c, "no such slot");
	case ARG_STRING:
	case ARG_BYTES:
		if (letter != (arg->kind == ARG_STRING ? 's' : 'b'))
			return bad(c, "a string or bytes where the op takes another kind");
		if (arg->value < 0 || !holds(plan, (uint64_t)arg->value, (uint64_t)arg->size + 1, 1, 1))
			return bad(c, "a string or bytes outside the plan");
		/* An op may read them as an array of structures. */
		if (arg->kind == ARG_BYTES && arg->value % 8 != 0)
			return bad(c, "bytes that are not aligned");
		if (plan->at[(uint64_t)arg->value + arg->size] != 0)
			return bad(c, "a string without its end");
		/* An op writes there: what was checked has to stay as it is. */
		if (arg->kind == ARG_BYTES && (uint64_t)arg->value < plan->tables)
			return bad(c, "bytes among the steps");
		return 0;
	default:
		return bad(c, "an argument of unknown kind");
	}
}

/* Where a step's arguments and alternatives lie, which no bytes may. */
static int64_t check_tables(struct lc_ctx *c, struct lc_plan *plan, const struct step *step, uint32_t op_count)
{
	size_t ends[2];

	if (step->op >= op_count || step->into > LC_MAX_SLOTS)
		return bad(c, "a step with an op or a slot that is not there");
	if (step->args > LC_MAX_ARGS || step->args != strlen(plan->ops[step->op]->signature))
		return bad(c, "a step with more or fewer arguments than its op takes");
	if (!holds(plan, step->args_at, step->args, sizeof(struct arg), 8) ||
	    !holds(plan, step->alternatives_at, step->alternatives, sizeof(struct alternative), 4))
		return bad(c, "arguments outside the plan");

	ends[0] = step->args_at + step->args * sizeof(struct arg);
	ends[1] = step->alternatives_at + step->alternatives * sizeof(struct alternative);
	for (int i = 0; i < 2; i++)
		if (ends[i] > plan->tables)
			plan->tables = ends[i];
	return 0;
}

static int64_t check_step(struct lc_ctx *c, const struct lc_plan *plan, const struct step *step)
{
	const struct arg *args;
	const struct alternative *alternatives;

	args = (const struct arg *)(plan->at + step->args_at);
	for (uint32_t i = 0; i < step->args; i++)
		if (check_arg(c, plan, &args[i], plan->ops[step->op]->signature[i]) < 0)
			return -EINVAL;
	alternatives = (const struct alternative *)(plan->at + step->alternatives_at);
	for (uint32_t i = 0; i < step->alternatives; i++)
		if (alternatives[i].step < -1 || alternatives[i].step >= (int64_t)plan->all)
			return bad(c, "an alternative that is not there");
	return 0;
}

int64_t lc_plan_open(struct lc_ctx *c, struct lc_plan *plan, const uint8_t *at, size_t size, const struct lc_op *const *tables)
{
	uint32_t op_count;

	memset(plan, 0, sizeof(*plan));
	plan->at = at;
	plan->size = size;
	if (size < HEADER || (uintptr_t)at % 8 || u32(at) != MAGIC || u32(at + 4) != size)
		return bad(c, "not a plan");
	plan->steps = u32(at + 8);
	plan->all = u32(at + 12);
	op_count = u32(at + 16);
	plan->fail_at = u32(at + 20);
	plan->flags = u32(at + 24);
	if (plan->all > MAX_STEPS || plan->steps > plan->all || op_count > LC_MAX_OPS)
		return bad(c, "too many steps or ops");
	if (!holds(plan, HEADER, op_count, 4, 4) || !holds(plan, (HEADER + op_count * 4 + 7) & ~7u, plan->all, sizeof(struct step), 8))
		return bad(c, "steps outside the plan");

	for (uint32_t i = 0; i < op_count; i++) {
		uint32_t name = u32(at + HEADER + i * 4);

		if (name >= size || !memchr(at + name, 0, size - name))
			return bad(c, "an op's name outside the plan");
		plan->ops[i] = find_op((const char *)at + name, tables);
		if (!plan->ops[i]) {
			lc_detail(c, (const char *)at + name);
			return lc_refuse(c, "plan (unknown op)", ENOSYS);
		}
	}
	plan->tables = (size_t)((const uint8_t *)step_at(plan, plan->all) - at);
	for (uint32_t i = 0; i < plan->all; i++)
		if (check_tables(c, plan, step_at(plan, i), op_count) < 0)
			return -EINVAL;
	for (uint32_t i = 0; i < plan->all; i++)
		if (check_step(c, plan, step_at(plan, i)) < 0)
			return -EINVAL;
	return 0;
}

static int64_t fill(struct lc_ctx *c, const struct lc_plan *plan, const struct arg *arg, char letter, union lc_arg *to)
{
	const struct lc_slot *slot;

	switch (arg->kind) {
	case ARG_INTEGER:
		to->i = arg->value;
		return 0;
	case ARG_STRING:
		to->s = (const char *)plan->at + arg->value;
		/* An op before this one may have written over its end. */
		return to->s[arg->size] == 0 ? 0 : bad(c, "a string without its end");
	case ARG_BYTES:
		to->b.at = (uint8_t *)plan->at + arg->value;
		to->b.size = arg->size;
		return 0;
	}
	slot = &plan->slots[arg->value];
	if (slot->kind != (letter == 'i' ? SLOT_INTEGER : SLOT_BYTES))
		return bad(c, slot->kind == SLOT_EMPTY ? "a slot that nothing has filled" : "a slot of another kind");
	if (letter == 'i')
		to->i = slot->i;
	else if (letter == 's')
		to->s = (const char *)slot->b.at;
	else
		to->b = slot->b;
	return 0;
}

static int64_t call(struct lc_ctx *c, struct lc_plan *plan, const struct step *step)
{
	const struct lc_op *op = plan->ops[step->op];
	const struct arg *args = (const struct arg *)(plan->at + step->args_at);
	union lc_arg filled[LC_MAX_ARGS];
	int64_t result;

	c->syscall = NULL;
	c->detail[0] = 0;
	for (uint32_t i = 0; i < step->args; i++)
		if (fill(c, plan, &args[i], op->signature[i], &filled[i]) < 0)
			return -EINVAL;
	result = op->call(c, filled);
	if (result < 0) {
		if (!c->syscall)
			c->syscall = op->name;
		return result;
	}
	if (step->into) {
		plan->slots[step->into - 1].kind = SLOT_INTEGER;
		plan->slots[step->into - 1].i = result;
	}
	return 0;
}

int64_t lc_plan_step(struct lc_ctx *c, struct lc_plan *plan, uint32_t i)
{
	if (i == plan->fail_at)
		return lc_refuse(c, "failure on purpose", EIO);

	for (int depth = 0; depth < MAX_DEPTH; depth++) {
		const struct step *step = step_at(plan, i);
		const struct alternative *alternatives = (const struct alternative *)(plan->at + step->alternatives_at);
		int64_t result = call(c, plan, step);
		uint32_t k = 0;

		if (result >= 0)
			return 0;
		while (k < step->alternatives && alternatives[k].error != -result)
			k++;
		if (k == step->alternatives)
			return result;
		if (alternatives[k].step < 0)
			return 0;
		i = (uint32_t)alternatives[k].step;
	}
	return bad(c, "alternatives that lead to one another");
}
