/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for an engine that mostly starts, works for some milliseconds and ends.
 *
 * A page fault costs more than filling the page, so memory is taken in chunks whose pages the kernel maps at once. QuickJS itself
 * packs small objects into 4 kB arenas; what arrives here are those and larger blocks. A freed block goes to the list of its
 * size and is given out again, so that a command that follows events for days does not grow. Large blocks are mappings of their own.
 */
#include "host.h"

#include <string.h>
#include <sys/mman.h>

#define CHUNK (256u << 10)
#define LARGE (64u << 10)
#define ALIGN 16u
#define CLASSES 40

struct block {
	size_t size;		/* that can be used */
	struct block *next;	/* while free */
	uint8_t at[];
};

static uint8_t *chunk, *chunk_end;
static struct block *freed[CLASSES];

/* Classes grow by quarters of a power of two: at most a fifth of a block is wasted. */
static unsigned int class_of(size_t size, size_t *rounded)
{
	unsigned int power = 63 - (unsigned int)__builtin_clzl(size | 64);
	size_t step = (size_t)1 << (power - 2);
	size_t quarters = (size + step - 1) / step;

	*rounded = quarters * step;
	return (power - 6) * 4 + (unsigned int)(quarters - 4);
}

static void *map(size_t size, int flags)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

static void *allocate(void *with, size_t size)
{
	struct block *block;
	unsigned int class;

	(void)with;
	if (size > LARGE) {
		if (size > SIZE_MAX / 2)
			return NULL;
		size = (size + sizeof(*block) + 4095) & ~(size_t)4095;
		block = map(size, 0);
		if (!block)
			return NULL;
		block->size = size - sizeof(*block);
		return block->at;
	}
	class = class_of(size, &size);
	block = freed[class];
	if (block) {
		freed[class] = block->next;
		return block->at;
	}
	if ((size_t)(chunk_end - chunk) < sizeof(*block) + size) {
		chunk = map(CHUNK, MAP_POPULATE);
		chunk_end = chunk ? chunk + CHUNK : NULL;
		if (!chunk)
			return NULL;
	}
	block = (struct block *)(void *)chunk;
	chunk += sizeof(*block) + size;
	block->size = size;
	return block->at;
}

static struct block *block_of(const void *at)
{
	return (struct block *)(void *)((uint8_t *)(uintptr_t)at - sizeof(struct block));
}

static void release(void *with, void *at)
{
	struct block *block;
	unsigned int class;
	size_t size;

	(void)with;
	if (!at)
		return;
	block = block_of(at);
	if (block->size > LARGE) {
		munmap(block, block->size + sizeof(*block));
		return;
	}
	class = class_of(block->size, &size);
	block->next = freed[class];
	freed[class] = block;
}

static void *reallocate(void *with, void *at, size_t size)
{
	struct block *block;
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

/* Every page of a chunk comes from the kernel as zeros, but a block may have been used before. */
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

const JSMallocFunctions lc_memory = {
	.js_calloc = allocate_zeroed,
	.js_malloc = allocate,
	.js_free = release,
	.js_realloc = reallocate,
	.js_malloc_usable_size = usable,
};
