/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What init does with the bytes of a plan and of the parent's answers. All of it is init's own code but for the ops: they bear the names and the
 * signatures of the real ones, read every byte that they are given, and answer what the input says.
 *
 * input: a plan, whose header says how long it is; up to three answers, each behind a u16 of its size; then a byte for each op that is called.
 */
#define main init_main
#include INIT
#undef main
#include "../../packages/init/native/rendezvous.c"

#include <stdio.h>
#include <stdlib.h>

#define MAX_COPIES 256
#define MAX_SIGNATURES 64
#define CALLS 20000	/* of ops for one input */

static struct lc_op copies[MAX_COPIES];
static const struct lc_op *copied[sizeof(tables) / sizeof(*tables)];
static const char *signatures[MAX_SIGNATURES];

/* What the ops answer. */
static const uint8_t *results;
static size_t results_left;
static volatile uint64_t seen;

#define HOLD(condition, what) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "wrong: %s\n", what); \
			abort(); \
		} \
	} while (0)

static uint32_t u32_at(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static void read_string(const char *s)
{
	seen += strlen(s);
}

static void read_bytes(const struct lc_bytes *b)
{
	HOLD((uintptr_t)b->at % 8 == 0, "bytes that are not aligned: an op may read them as an array of structures");
	for (size_t i = 0; i < b->size; i++)
		seen += b->at[i];
	HOLD(b->at[b->size] == 0, "bytes without a NUL behind them: an op may read them as strings");
}

/* argv and environ as exec and hooks take them. */
static void split_strings(struct lc_ctx *c, const union lc_arg *a)
{
	char **argv, **environ_;

	if (lc_split_command(c, &a[0].b, &a[1].b, &a[2].b, &argv, &environ_) < 0)
		return;
	HOLD(argv[0] != NULL, "a program without a name");
	for (; *argv; argv++)
		read_string(*argv);
	for (; *environ_; environ_++)
		read_string(*environ_);
}

static int64_t answer(struct lc_ctx *c, const union lc_arg *a, const char *signature)
{
	uint8_t result;

	for (int i = 0; signature[i]; i++) {
		if (signature[i] == 's')
			read_string(a[i].s);
		else if (signature[i] == 'b')
			read_bytes(&a[i].b);
		else
			seen += (uint64_t)a[i].i;
	}
	if (strcmp(signature, "bbb") == 0)
		split_strings(c, a);
	if (results_left == 0)
		return 0;
	result = *results;
	results++;
	results_left--;
	return result < 128 ? result : -(int64_t)(result - 127);
}

/* An op is not told its signature: one function for each. */
#define OP(n) static int64_t op_##n(struct lc_ctx *c, const union lc_arg *a) { return answer(c, a, signatures[n]); }
#define EIGHT(F, n) F(n##0) F(n##1) F(n##2) F(n##3) F(n##4) F(n##5) F(n##6) F(n##7)
#define ALL(F) EIGHT(F, 0) EIGHT(F, 01) EIGHT(F, 02) EIGHT(F, 03) EIGHT(F, 04) EIGHT(F, 05) EIGHT(F, 06) EIGHT(F, 07)
ALL(OP)
#define NAME(n) op_##n,
static int64_t (*const functions[MAX_SIGNATURES])(struct lc_ctx *, const union lc_arg *) = { ALL(NAME) };

static int signature_of(const char *signature)
{
	int i = 0;

	while (i < MAX_SIGNATURES && signatures[i] && strcmp(signatures[i], signature) != 0)
		i++;
	HOLD(i < MAX_SIGNATURES, "more signatures than there is room for");
	signatures[i] = signature;
	return i;
}

static void copy_tables(void)
{
	struct lc_op *next = copies;

	for (int i = 0; tables[i]; i++) {
		copied[i] = next;
		for (const struct lc_op *op = tables[i]; op->name; op++) {
			*next = *op;
			next++->call = functions[signature_of(op->signature)];
			HOLD(next + 1 < copies + MAX_COPIES, "more ops than there is room for");
		}
		next++;
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	copy_tables();
	return 0;
}

/* A failure goes up as a record: it has to say what failed, by an errno. */
static void check_failure(const struct lc_ctx *c, int64_t result)
{
	HOLD(result >= -4095 && result < 0, "a failure that is no errno");
	HOLD(c->syscall, "a failure without a call");
	read_string(c->syscall);
	HOLD(memchr(c->detail, 0, sizeof(c->detail)), "a detail without its end");
}

/* As if the parent had sent it. */
static void take_answer(struct lc_ctx *c, const uint8_t *at, size_t size)
{
	int pair[2];
	int64_t result;

	HOLD(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0, "no socket");
	HOLD(send(pair[1], at, size, 0) == (ssize_t)size, "not sent");
	lc_control = pair[0];
	c->syscall = NULL;
	result = receive_answer(c, 0);
	close(pair[0]);
	close(pair[1]);
	if (result < 0)
		HOLD(result >= -4095, "a failure that is no errno");
	HOLD(used <= ANSWER_SIZE && used % 8 == 0, "answers beyond their room");
	for (int i = 0; i < LC_MAX_SLOTS; i++) {
		const struct lc_slot *slot = &lc_the_plan.slots[i];

		if (slot->kind != 2)
			continue;
		HOLD(slot->b.at >= answers && slot->b.at + slot->b.size < answers + ANSWER_SIZE, "a slot outside the answers");
		read_bytes(&slot->b);
	}
}

static void take_answers(struct lc_ctx *c)
{
	memset(answers, 0, sizeof(answers));
	used = 0;
	for (int i = 0; i < 3 && results_left >= 2; i++) {
		size_t size = results[0] | (size_t)results[1] << 8;

		results += 2;
		results_left -= 2;
		if (size > results_left)
			size = results_left;
		if (size == 0)
			break;
		take_answer(c, results, size);
		results += size;
		results_left -= size;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lc_ctx c = { 0 };
	size_t plan_size = size >= 8 && u32_at(data + 4) < size ? u32_at(data + 4) : size;
	/* Of its own, so that whatever is read beyond its end is noticed. */
	uint8_t *plan = malloc(plan_size ? plan_size : 1);
	int64_t result;

	memcpy(plan, data, plan_size);
	results = data + plan_size;
	results_left = size - plan_size;
	result = lc_plan_open(&c, &lc_the_plan, plan, plan_size, copied);
	if (result < 0) {
		check_failure(&c, result);
		free(plan);
		return 0;
	}
	take_answers(&c);
	for (uint32_t i = 0; i < lc_the_plan.steps && i < CALLS; i++) {
		result = lc_plan_step(&c, &lc_the_plan, i);
		if (result < 0) {
			check_failure(&c, result);
			break;
		}
	}
	free(plan);
	return 0;
}
