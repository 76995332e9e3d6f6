/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* A text is cut at a whole UTF-8 character, and nothing in it moves a cursor. */
static void make_printable(char *text, size_t size)
{
    size_t len = strlen(text);

    if (len == size - 1) {
        while (len > 0 && ((unsigned char)text[len - 1] & 0xc0) == 0x80)
            len--;
        if (len > 0 && (unsigned char)text[len - 1] >= 0xc0)
            len--;
        text[len] = '\0';
    }
    for (size_t left = strlen(text), whole; left > 0; left -= whole, text += whole) {
        whole = text_printable_utf8(text, left);
        if (whole == 0) {
            *text = '?';
            whole = 1;
        }
    }
}

__attribute__((format(printf, 2, 0))) static void append(struct hosted_fault *fault,
                                                         const char *format, va_list args)
{
    const size_t used = strlen(fault->text);

    vsnprintf(fault->text + used, sizeof(fault->text) - used, format, args);
    make_printable(fault->text, sizeof(fault->text));
}

int fault_set(struct hosted_fault *fault, enum hosted_status status, int error, const char *format,
              ...)
{
    if (fault == NULL)
        return error;

    va_list args;

    *fault = (struct hosted_fault){.status = status, .error = error};
    va_start(args, format);
    append(fault, format, args);
    va_end(args);
    return error;
}

void fault_add(struct hosted_fault *fault, const char *format, ...)
{
    if (fault == NULL)
        return;

    va_list args;

    va_start(args, format);
    append(fault, format, args);
    va_end(args);
}

int fault_hint(struct hosted_fault *fault, enum hosted_hint hint, int error)
{
    if (fault != NULL)
        fault->hint = hint;
    return error;
}

int fault_errno(struct hosted_fault *fault, enum hosted_status status, int error,
                const char *object)
{
    const int positive = abs(error);

    return fault_set(fault, status, -positive, "%s: %s", object, strerror(positive));
}
