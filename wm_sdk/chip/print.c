/*
 * snprintf and, into the log, printf, with what Mbed TLS and lwIP write: %s %c %d %i %u %x %X %p %%, a width, zeros
 * before it, a precision, l and z.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "wm_log.h"

struct text {
    char *to;
    size_t size;
    size_t length;
};

struct form {
    bool zeros;
    bool left;
    size_t width;
    /* SIZE_MAX for none. */
    size_t precision;
};

/* What does not fit is counted all the same. */
static void put(struct text *text, char byte)
{
    if (text->length + 1 < text->size) {
        text->to[text->length] = byte;
    }
    text->length++;
}

static void pad(struct text *text, char byte, size_t count)
{
    while (count-- > 0) {
        put(text, byte);
    }
}

static void put_padded(struct text *text, const struct form *form, const char *bytes, size_t length)
{
    size_t padding = form->width > length ? form->width - length : 0;
    pad(text, form->zeros ? '0' : ' ', form->left ? 0 : padding);
    for (size_t i = 0; i < length; i++) {
        put(text, bytes[i]);
    }
    pad(text, ' ', form->left ? padding : 0);
}

static void put_number(struct text *text, struct form *form, unsigned number, unsigned base, const char *digits)
{
    char reversed[16];
    char *first = reversed + sizeof reversed;
    do {
        *--first = digits[number % base];
        number /= base;
    } while (number > 0);
    size_t length = (size_t)(reversed + sizeof reversed - first);
    if (form->precision != SIZE_MAX && form->precision > length && form->precision <= sizeof reversed) {
        first -= form->precision - length;
        memset(first, '0', form->precision - length);
        length = form->precision;
    }
    put_padded(text, form, first, length);
}

static void put_signed(struct text *text, struct form *form, int number)
{
    if (number < 0) {
        put(text, '-');
        form->width -= form->width > 0;
    }
    put_number(text, form, number < 0 ? -(unsigned)number : (unsigned)number, 10, "0123456789");
}

static void put_string(struct text *text, const struct form *form, const char *string)
{
    const char *end = form->precision == SIZE_MAX ? NULL : memchr(string, '\0', form->precision);
    size_t limit = form->precision == SIZE_MAX ? strlen(string) : form->precision;
    put_padded(text, form, string, end ? (size_t)(end - string) : limit);
}

static size_t read_number(const char **format, va_list *arguments)
{
    size_t number = 0;
    if (**format == '*') {
        (*format)++;
        return va_arg(*arguments, size_t);
    }
    for (; **format >= '0' && **format <= '9'; (*format)++) {
        number = number * 10 + (size_t)(**format - '0');
    }
    return number;
}

static struct form read_form(const char **format, va_list *arguments)
{
    struct form form = {.precision = SIZE_MAX};
    for (; **format == '0' || **format == '-' || **format == '#'; (*format)++) {
        form.zeros |= **format == '0';
        form.left |= **format == '-';
    }
    form.width = read_number(format, arguments);
    if (**format == '.') {
        (*format)++;
        form.precision = read_number(format, arguments);
    }
    while (**format == 'l' || **format == 'z') {
        (*format)++;
    }
    return form;
}

static void put_argument(struct text *text, struct form *form, char conversion, va_list *arguments)
{
    switch (conversion) {
    case 's':
        put_string(text, form, va_arg(*arguments, const char *));
        break;
    case 'c':
        put(text, (char)va_arg(*arguments, int));
        break;
    case 'd':
    case 'i':
        put_signed(text, form, va_arg(*arguments, int));
        break;
    case 'u':
        put_number(text, form, va_arg(*arguments, unsigned), 10, "0123456789");
        break;
    case 'x':
    case 'p':
        put_number(text, form, va_arg(*arguments, unsigned), 16, "0123456789abcdef");
        break;
    case 'X':
        put_number(text, form, va_arg(*arguments, unsigned), 16, "0123456789ABCDEF");
        break;
    default:
        put(text, conversion);
    }
}

int vsnprintf(char *restrict to, size_t size, const char *restrict format, va_list list)
{
    struct text text = {.to = to, .size = size};
    va_list arguments;
    va_copy(arguments, list);
    while (*format != '\0') {
        char byte = *format++;
        if (byte != '%') {
            put(&text, byte);
        } else {
            struct form form = read_form(&format, &arguments);
            put_argument(&text, &form, *format++, &arguments);
        }
    }
    va_end(arguments);
    if (size > 0) {
        to[text.length < size ? text.length : size - 1] = '\0';
    }
    return (int)text.length;
}

int printf(const char *restrict format, ...)
{
    char line[128];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    wm_log_printf(WM_LOG_LEVEL_INFO, LOG_TAG, "%s", line);
    return length;
}

/* The compiler takes these for a printf of plain text. */
int puts(const char *line)
{
    return printf("%s\n", line);
}

int putchar(int byte)
{
    return printf("%c", byte);
}

int snprintf(char *restrict to, size_t size, const char *restrict format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(to, size, format, arguments);
    va_end(arguments);
    return length;
}
