/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTEDD_LOG_H
#define HOSTEDD_LOG_H
/* One line on standard error, behind the program's name. Never what a message contains. */
#include <stdbool.h>

void log_set_verbose(bool verbose);
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Only with --verbose. */
void log_detail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
