/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_MAC_H
#define SIM_MAC_H
#include <stdint.h>

/* Reads "24:0a:c4:11:22:33". Returns 0, or -EINVAL with *ret untouched. */
int mac_parse(const char *text, uint8_t ret[6]);

#endif
