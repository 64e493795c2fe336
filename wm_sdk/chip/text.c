/* The C library's functions on bytes and texts that lwIP, Mbed TLS and the library call, for an image without newlib.
 */
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define WORD sizeof(unsigned)

static int is_aligned(const void *one, const void *other)
{
    return (((size_t)one | (size_t)other) & (WORD - 1)) == 0;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    unsigned char *target = to;
    const unsigned char *source = from;
    if (is_aligned(to, from)) {
        for (; size >= WORD; size -= WORD, target += WORD, source += WORD) {
            *(unsigned *)(void *)target = *(const unsigned *)(const void *)source;
        }
    }
    while (size-- > 0) {
        *target++ = *source++;
    }
    return to;
}

void *memmove(void *to, const void *from, size_t size)
{
    unsigned char *target = to;
    const unsigned char *source = from;
    if ((size_t)target - (size_t)source >= size) {
        return memcpy(to, from, size);
    }
    while (size-- > 0) {
        target[size] = source[size];
    }
    return to;
}

void *memset(void *to, int value, size_t size)
{
    unsigned char *target = to;
    unsigned char byte = (unsigned char)value;
    unsigned word = byte * (UINT_MAX / UCHAR_MAX);
    for (; size > 0 && !is_aligned(target, target); size--) {
        *target++ = byte;
    }
    for (; size >= WORD; size -= WORD, target += WORD) {
        *(unsigned *)(void *)target = word;
    }
    while (size-- > 0) {
        *target++ = byte;
    }
    return to;
}

int memcmp(const void *one, const void *other, size_t size)
{
    const unsigned char *a = one;
    const unsigned char *b = other;
    for (; size > 0; size--, a++, b++) {
        if (*a != *b) {
            return *a - *b;
        }
    }
    return 0;
}

void *memchr(const void *in, int wanted, size_t size)
{
    for (const unsigned char *at = in; size > 0; size--, at++) {
        if (*at == (unsigned char)wanted) {
            return (void *)at;
        }
    }
    return NULL;
}

size_t strlen(const char *text)
{
    const char *end = text;
    while (*end != '\0') {
        end++;
    }
    return (size_t)(end - text);
}

/* The code generator finds it in loops over words that end in 0. */
size_t wcslen(const wchar_t *words)
{
    const wchar_t *end = words;
    while (*end != 0) {
        end++;
    }
    return (size_t)(end - words);
}

int strncmp(const char *one, const char *other, size_t size)
{
    for (; size > 0; size--, one++, other++) {
        if (*one != *other || *one == '\0') {
            return (unsigned char)*one - (unsigned char)*other;
        }
    }
    return 0;
}

int strcmp(const char *one, const char *other)
{
    return strncmp(one, other, SIZE_MAX);
}

char *strncpy(char *restrict to, const char *restrict from, size_t size)
{
    size_t length = 0;
    while (length < size && from[length] != '\0') {
        to[length] = from[length];
        length++;
    }
    memset(to + length, 0, size - length);
    return to;
}

char *strchr(const char *text, int wanted)
{
    for (; *text != (char)wanted; text++) {
        if (*text == '\0') {
            return NULL;
        }
    }
    return (char *)text;
}

char *strstr(const char *text, const char *wanted)
{
    size_t length = strlen(wanted);
    for (; strncmp(text, wanted, length) != 0; text++) {
        if (*text == '\0') {
            return NULL;
        }
    }
    return (char *)text;
}

int atoi(const char *text)
{
    int number = 0;
    int sign = *text == '-' ? -1 : 1;
    for (text += *text == '-'; *text >= '0' && *text <= '9'; text++) {
        number = number * 10 + (*text - '0');
    }
    return sign * number;
}

/* What newlib's <ctype.h> looks characters up in: from -1, for EOF, on. */
#define UPPER 01
#define LOWER 02
#define DIGIT 04
#define SPACE 010
#define PUNCTUATION 020
#define CONTROL 040
#define HEXADECIMAL 0100
#define BLANK 0200

const char _ctype_[1 + 256] = {
    [1 + 0 ... 1 + 31] = CONTROL,
    [1 + '\t' ... 1 + '\r'] = CONTROL | SPACE,
    [1 + ' '] = (char)(SPACE | BLANK),
    [1 + '!' ... 1 + '/'] = PUNCTUATION,
    [1 + '0' ... 1 + '9'] = DIGIT,
    [1 + ':' ... 1 + '@'] = PUNCTUATION,
    [1 + 'A' ... 1 + 'F'] = UPPER | HEXADECIMAL,
    [1 + 'G' ... 1 + 'Z'] = UPPER,
    [1 + '[' ... 1 + '`'] = PUNCTUATION,
    [1 + 'a' ... 1 + 'f'] = LOWER | HEXADECIMAL,
    [1 + 'g' ... 1 + 'z'] = LOWER,
    [1 + '{' ... 1 + '~'] = PUNCTUATION,
    [1 + 127] = CONTROL,
};
