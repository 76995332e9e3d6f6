/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PASSWORD_H
#define PASSWORD_H
/* Where the password of a network comes from, and that it stays nowhere longer than needed. */
#include "cli.h"

/* Copies the text and wipes it where it was; NULL without memory. */
char *password_keep(char *text);

/*
 * The password that was given, else that of $ESP_HOSTED_PASSWORD, else what somebody types on the
 * terminal, which does not show it. In *ret for password_free(). 0 or -errno with words.
 */
int password_get(const struct cli_context *context, char **ret, struct hosted_fault *fault);

/* Wipes and frees it; accepts NULL. */
void password_free(char *password);

#endif
