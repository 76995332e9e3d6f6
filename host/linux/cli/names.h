/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_NAMES_H
#define CLI_NAMES_H
/* What numbers of the library are called. Never NULL: "unknown ..." for what has no name. */
#include "hosted/device.h"

const char *cli_chip_name(uint16_t chip_id);
const char *cli_encryption_name(enum hosted_encryption encryption);
const char *cli_mode_name(enum hosted_mode mode);
const char *cli_event_name(enum hosted_event_kind kind);

#endif
