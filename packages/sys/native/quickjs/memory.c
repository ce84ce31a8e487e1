/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for an engine that mostly starts, works for some milliseconds and ends.
 *
 * A page fault costs more than filling the page, so memory is taken in chunks whose pages the kernel maps at once. QuickJS itself
 * packs small objects into 4 kB arenas; what arrives here are those and larger blocks. A freed block goes to the list of its
 * size and is given out again, so that a command that follows events for days does not grow. Large blocks are mappings of their own.
 * While the image is made everything comes from its heap, where room counts and time does not: blocks are cut to measure from the hole that
 * fits best, and neighbouring holes become one.
 */
#include "host.h"

#include <string.h>
#include <sys/mman.h>

#define CHUNK (128u << 10)
#define SMALLEST 64u
#define LARGE (64u << 10)

struct lc_block {
	size_t size;		/* that can be used */
	struct lc_block *next;	/* while free */
	uint8_t at[];
};

static struct lc_memory *const memory = &lc_image.memory;

/* Classes grow by quarters of a power of two: at most a fifth of a block is wasted. */
static unsigned int class_of(size_t size, size_t *rounded)
{
	unsigned int power;
	size_t step, quarters;

	if (size < SMALLEST)
		size = SMALLEST;
	power = 63 - (unsigned int)__builtin_clzll(size);
	step = (size_t)1 << (power - 2);
	quarters = (size + step - 1) / step;
	*rounded = quarters * step;	/* a multiple of 16, as the header is */
	return (power - 6) * 4 + (unsigned int)(quarters - 4);
}

/* The class whose blocks are no larger: those of the image have any size. */
static unsigned int class_within(size_t size)
{
	size_t rounded;
	unsigned int class = class_of(size, &rounded);

	return rounded > size ? class - 1 : class;
}

static int in_image(const void *at)
{
	return (const uint8_t *)at >= lc_image.heap && (const uint8_t *)at < lc_image_end;
}

static struct lc_block *map(size_t size, int flags)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

static struct lc_block *cut(size_t size)
{
	struct lc_block *block;

	if ((size_t)(memory->end - memory->at) < sizeof(*block) + size) {
		block = lc_image.making ? NULL : map(CHUNK, MAP_POPULATE);
		if (!block)
			return NULL;
		memory->at = (uint8_t *)block;
		memory->end = memory->at + CHUNK;
	}
	block = (struct lc_block *)(void *)memory->at;
	memory->at += sizeof(*block) + size;
	if (lc_image.making && (uint64_t)(memory->at - lc_image.heap) > lc_image.peak)
		lc_image.peak = (uint64_t)(memory->at - lc_image.heap);
	block->size = size;
	return block;
}

static uint8_t *end_of(struct lc_block *block)
{
	return block->at + block->size;
}

/* In the image: from the hole that fits best, or from what is behind all blocks. */
static void *allocate_tight(size_t size)
{
	struct lc_block **best = NULL, *block, *rest;

	lc_image.requests++;
	size = size < SMALLEST ? SMALLEST : (size + 15) & ~(size_t)15;
	for (struct lc_block **hole = &lc_image.holes; *hole; hole = &(*hole)->next)
		if ((*hole)->size >= size && (!best || (*hole)->size < (*best)->size))
			best = hole;
	if (!best) {
		if (!memory->at) {
			memory->at = lc_image.heap;
			memory->end = (uint8_t *)(uintptr_t)lc_image_end;
		}
		block = cut(size);
		return block ? block->at : NULL;
	}
	block = *best;
	if (block->size < size + sizeof(*block) + SMALLEST) {
		*best = block->next;
		return block->at;
	}
	rest = (struct lc_block *)(void *)(block->at + size);
	rest->size = block->size - size - sizeof(*block);
	rest->next = block->next;
	block->size = size;
	*best = rest;
	return block->at;
}

/* Holes are in the order of their addresses, and none touches the next. */
static void release_tight(struct lc_block *block)
{
	struct lc_block **to = &lc_image.holes, *before = NULL;

	while (*to && *to < block) {
		before = *to;
		to = &before->next;
	}
	block->next = *to;
	*to = block;
	if (block->next && end_of(block) == (uint8_t *)block->next) {
		block->size += sizeof(*block) + block->next->size;
		block->next = block->next->next;
	}
	if (before && end_of(before) == (uint8_t *)block) {
		before->size += sizeof(*block) + block->size;
		before->next = block->next;
	}
}

void lc_settle_memory(void)
{
	struct lc_block *hole = lc_image.holes, *next;

	for (; hole; hole = next) {
		unsigned int class = class_within(hole->size);

		next = hole->next;
		if (end_of(hole) == memory->at) {
			memory->at = (uint8_t *)hole;
		} else if (class < LC_SIZES) {
			hole->next = memory->freed[class];
			memory->freed[class] = hole;
		}
	}
	lc_image.holes = NULL;
}

static void *allocate(void *with, size_t size)
{
	struct lc_block *block;
	unsigned int class;

	(void)with;
	if (size > PTRDIFF_MAX)
		return NULL;
	if (lc_image.making)
		return allocate_tight(size);
	if (size > LARGE) {
		size = (size + sizeof(*block) + 4095) & ~(size_t)4095;
		block = map(size, 0);
		if (block)
			block->size = size - sizeof(*block);
		return block ? block->at : NULL;
	}
	class = class_of(size, &size);
	block = class < LC_SIZES ? memory->freed[class] : NULL;
	if (block)
		memory->freed[class] = block->next;
	else
		block = cut(size);
	return block ? block->at : NULL;
}

static struct lc_block *block_of(const void *at)
{
	return (struct lc_block *)(void *)((uint8_t *)(uintptr_t)at - sizeof(struct lc_block));
}

static void release(void *with, void *at)
{
	struct lc_block *block;
	unsigned int class;

	(void)with;
	if (!at)
		return;
	block = block_of(at);
	if (lc_image.making) {
		release_tight(block);
		return;
	}
	if (block->size > LARGE) {
		if (!in_image(block))
			munmap(block, block->size + sizeof(*block));
		return;
	}
	class = class_within(block->size);
	block->next = memory->freed[class];
	memory->freed[class] = block;
}

static void *reallocate(void *with, void *at, size_t size)
{
	struct lc_block *block;
	void *moved;

	if (!at)
		return allocate(with, size);
	block = block_of(at);
	if (size <= block->size && (block->size <= LARGE || size > block->size / 2))
		return at;
	moved = allocate(with, size);
	if (!moved)
		return NULL;
	memcpy(moved, at, size < block->size ? size : block->size);
	release(with, at);
	return moved;
}

/* A chunk comes from the kernel as zeros, but a block may have been used before. */
static void *allocate_zeroed(void *with, size_t count, size_t size)
{
	void *at;

	if (size != 0 && count > SIZE_MAX / size)
		return NULL;
	at = allocate(with, count * size);
	return at ? memset(at, 0, count * size) : NULL;
}

static size_t usable(const void *at)
{
	return at ? block_of(at)->size : 0;
}

const JSMallocFunctions lc_memory_functions = {
	.js_calloc = allocate_zeroed,
	.js_malloc = allocate,
	.js_free = release,
	.js_realloc = reallocate,
	.js_malloc_usable_size = usable,
};
