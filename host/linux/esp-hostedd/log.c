/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>

static bool s_verbose;

void log_set_verbose(bool verbose)
{
    s_verbose = verbose;
}

__attribute__((format(printf, 1, 0))) static void print_line(const char *format, va_list args)
{
    char line[512];

    vsnprintf(line, sizeof(line), format, args);
    fprintf(stderr, "esp-hostedd: %s\n", line);
}

void log_info(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print_line(format, args);
    va_end(args);
}

void log_detail(const char *format, ...)
{
    va_list args;

    if (!s_verbose)
        return;
    va_start(args, format);
    print_line(format, args);
    va_end(args);
}
