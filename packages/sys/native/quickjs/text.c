/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 as the Encoding Standard has it: the engine's own conversions let lone surrogates through, both ways. */
#include "host.h"

#include <string.h>

/* encodeUtf8(string): bytes; a lone surrogate becomes U+FFFD, which is as long. */
JSValue lc_encode_utf8(JSContext *js, JSValueConst self, int argc, JSValueConst *argv)
{
	size_t size;
	const char *text = JS_ToCStringLen(js, &size, argc > 0 ? argv[0] : JS_UNDEFINED);
	JSValue result;
	uint8_t *at;

	(void)self;
	if (!text)
		return JS_EXCEPTION;
	result = JS_NewUint8ArrayCopy(js, (const uint8_t *)text, size);
	JS_FreeCString(js, text);
	if (JS_IsException(result))
		return result;
	at = JS_GetUint8Array(js, &size, result);
	for (size_t i = 0; i + 2 < size; i++)
		if (at[i] == 0xed && at[i + 1] >= 0xa0)
			memcpy(at + i, "\xef\xbf\xbd", 3);
	return result;
}

/*
 * The code point at `at`, and how many bytes it takes. For what is not UTF-8 the answer is U+FFFD for the longest start of a
 * sequence, as the standard says: so the second byte's range depends on the first.
 */
static uint32_t decode_one(const uint8_t *at, const uint8_t *end, size_t *taken)
{
	uint8_t first = at[0], low = 0x80, high = 0xbf;
	uint32_t point;
	int more;

	*taken = 1;
	if (first < 0x80)
		return first;
	if (first >= 0xc2 && first <= 0xdf) {
		more = 1;
		point = first & 0x1f;
	} else if (first >= 0xe0 && first <= 0xef) {
		more = 2;
		point = first & 0x0f;
		low = first == 0xe0 ? 0xa0 : 0x80;
		high = first == 0xed ? 0x9f : 0xbf;
	} else if (first >= 0xf0 && first <= 0xf4) {
		more = 3;
		point = first & 0x07;
		low = first == 0xf0 ? 0x90 : 0x80;
		high = first == 0xf4 ? 0x8f : 0xbf;
	} else {
		return 0xfffd;
	}
	for (; more > 0; more--) {
		if (at + *taken == end || at[*taken] < low || at[*taken] > high)
			return 0xfffd;
		point = point << 6 | (at[*taken] & 0x3f);
		low = 0x80;
		high = 0xbf;
		++*taken;
	}
	return point;
}

static size_t ascii(const char *bytes, size_t size)
{
	size_t i = 0;

	while (i < size && !(bytes[i] & 0x80))
		i++;
	return i;
}

JSValue lc_text(JSContext *js, const char *bytes, size_t size)
{
	const uint8_t *at = (const uint8_t *)bytes, *end = at + size;
	size_t used = 0, taken;
	uint16_t *units;
	JSValue result;

	if (ascii(bytes, size) == size)
		return JS_NewStringLen(js, bytes, size);
	/* Never more units than bytes. */
	units = js_malloc(js, size * sizeof(*units));
	if (!units)
		return JS_EXCEPTION;
	for (; at < end; at += taken) {
		uint32_t point = decode_one(at, end, &taken);

		if (point > 0xffff) {
			units[used++] = (uint16_t)(0xd7c0 + (point >> 10));
			units[used++] = (uint16_t)(0xdc00 | (point & 0x3ff));
		} else {
			units[used++] = (uint16_t)point;
		}
	}
	result = JS_NewStringUTF16(js, units, used);
	js_free(js, units);
	return result;
}

JSValue lc_decode_utf8(JSContext *js, JSValueConst self, int argc, JSValueConst *argv)
{
	size_t size = 0;
	uint8_t *at;

	(void)self;
	if (argc < 1 || JS_GetTypedArrayType(argv[0]) != JS_TYPED_ARRAY_UINT8)
		return JS_ThrowTypeError(js, "decodeUtf8: takes a Uint8Array");
	at = JS_GetUint8Array(js, &size, argv[0]);
	return size == 0 ? JS_NewString(js, "") : lc_text(js, (const char *)at, size);
}
