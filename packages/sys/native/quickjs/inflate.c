/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DEFLATE, as RFC 1951 has it: modules that few starts import are packed. The bytes are the executable's own, so that what is wrong with them is
 * a defect; all the same nothing is read or written outside.
 */
#include "host.h"

#include <string.h>

#define LONGEST 15	/* bits of a code */
#define LITERALS 288
#define DISTANCES 30

struct stream {
	const uint8_t *at, *end;
	uint64_t held;		/* bits that were read and not taken, the next one lowest */
	int count;
	uint8_t *out, *out_at, *out_end;
	bool bad;
};

/* A canonical code: how many symbols there are of each length, and the symbols by their codes. */
struct code {
	uint16_t counts[LONGEST + 1];
	uint16_t symbols[LITERALS];
};

static uint32_t take(struct stream *s, int bits)
{
	uint32_t value;

	while (s->count < bits) {
		if (s->at == s->end) {
			s->bad = true;
			return 0;
		}
		s->held |= (uint64_t)*s->at++ << s->count;
		s->count += 8;
	}
	value = (uint32_t)(s->held & ((1ull << bits) - 1));
	s->held >>= bits;
	s->count -= bits;
	return value;
}

static void make_code(struct code *code, const uint8_t *lengths, int count)
{
	uint16_t next[LONGEST + 2] = { 0 };

	memset(code->counts, 0, sizeof(code->counts));
	for (int i = 0; i < count; i++)
		code->counts[lengths[i]]++;
	code->counts[0] = 0;
	for (int i = 1; i <= LONGEST; i++)
		next[i + 1] = next[i] + code->counts[i];
	for (int i = 0; i < count; i++)
		if (lengths[i])
			code->symbols[next[lengths[i]]++] = (uint16_t)i;
}

/* Codes of one length follow each other, and begin where those that are shorter end, doubled. */
static int decode(struct stream *s, const struct code *code)
{
	int value = 0, first = 0, index = 0;

	for (int length = 1; length <= LONGEST && !s->bad; length++) {
		int count = code->counts[length];

		value |= (int)take(s, 1);
		if (value - first < count)
			return code->symbols[index + value - first];
		index += count;
		first = (first + count) << 1;
		value <<= 1;
	}
	s->bad = true;
	return 0;
}

static void copy_stored(struct stream *s)
{
	uint32_t size, inverse;

	take(s, s->count & 7);
	size = take(s, 16);
	inverse = take(s, 16);
	if (size != (inverse ^ 0xffff) || size > (size_t)(s->out_end - s->out_at))
		s->bad = true;
	while (size-- > 0 && !s->bad)
		*s->out_at++ = (uint8_t)take(s, 8);
}

static void expand(struct stream *s, const struct code *literals, const struct code *distances)
{
	static const uint16_t lengths[] = { 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
					    227, 258 };
	static const uint8_t length_bits[] = { 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0 };

	while (!s->bad) {
		int symbol = decode(s, literals), far;
		size_t length, distance;

		if (symbol == 256)
			return;
		if (symbol < 256) {
			if (s->out_at == s->out_end)
				s->bad = true;
			else
				*s->out_at++ = (uint8_t)symbol;
			continue;
		}
		symbol -= 257;
		if (symbol >= (int)sizeof(length_bits)) {
			s->bad = true;
			return;
		}
		length = lengths[symbol] + take(s, length_bits[symbol]);
		far = decode(s, distances);
		if (far >= DISTANCES) {
			s->bad = true;
			return;
		}
		/* Two distances share each number of further bits, from the fourth on. */
		distance = far < 4 ? (size_t)far + 1 : ((2 + ((size_t)far & 1)) << (far / 2 - 1)) + 1 + take(s, far / 2 - 1);
		if (s->bad || distance > (size_t)(s->out_at - s->out) || length > (size_t)(s->out_end - s->out_at)) {
			s->bad = true;
			return;
		}
		for (; length > 0; length--, s->out_at++)
			*s->out_at = s->out_at[-(ptrdiff_t)distance];
	}
}

static void expand_fixed(struct stream *s)
{
	struct code literals, distances;
	uint8_t lengths[LITERALS];

	for (int i = 0; i < LITERALS; i++)
		lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
	make_code(&literals, lengths, LITERALS);
	memset(lengths, 5, DISTANCES);
	make_code(&distances, lengths, DISTANCES);
	expand(s, &literals, &distances);
}

static void expand_dynamic(struct stream *s)
{
	static const uint8_t order[] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15 };
	uint8_t lengths[320] = { 0 };
	struct code literals, distances;
	int literal_count = (int)take(s, 5) + 257, distance_count = (int)take(s, 5) + 1, length_count = (int)take(s, 4) + 4;

	for (int i = 0; i < length_count; i++)
		lengths[order[i]] = (uint8_t)take(s, 3);
	make_code(&literals, lengths, sizeof(order));
	memset(lengths, 0, sizeof(lengths));
	for (int i = 0; i < literal_count + distance_count && !s->bad;) {
		int symbol = decode(s, &literals), times = 1, length = symbol;

		if (symbol == 16) {
			length = i > 0 ? lengths[i - 1] : 0;
			times = 3 + (int)take(s, 2);
		} else if (symbol > 16) {
			length = 0;
			times = symbol == 17 ? 3 + (int)take(s, 3) : 11 + (int)take(s, 7);
		}
		if (i + times > literal_count + distance_count || literal_count > LITERALS)
			s->bad = true;
		for (; times > 0 && !s->bad; times--)
			lengths[i++] = (uint8_t)length;
	}
	if (s->bad)
		return;
	make_code(&literals, lengths, literal_count);
	make_code(&distances, lengths + literal_count, distance_count);
	expand(s, &literals, &distances);
}

bool lc_inflate(const uint8_t *at, const uint8_t *end, uint8_t *to, size_t size)
{
	struct stream s = { .at = at, .end = end, .out = to, .out_at = to, .out_end = to + size };
	bool last = false;

	while (!last && !s.bad) {
		last = take(&s, 1);
		switch (take(&s, 2)) {
		case 0:
			copy_stored(&s);
			break;
		case 1:
			expand_fixed(&s);
			break;
		case 2:
			expand_dynamic(&s);
			break;
		default:
			s.bad = true;
		}
	}
	return !s.bad && s.out_at == s.out_end;
}
