/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAC_TEXT_H
#define MAC_TEXT_H
/* MAC addresses as the control path has them: "aa:bb:cc:dd:ee:ff". */
#include <stdbool.h>
#include <stdint.h>

#include "control_message.h"

void mac_to_text(const uint8_t mac[6], char text[CONTROL_MAC_CHARS + 1]);

/* Takes capital digits too. False, with `mac` in any state, for what is no such text. */
bool mac_from_text(const char *text, uint8_t mac[6]);

#endif
