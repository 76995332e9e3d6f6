/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IDENTITY_H
#define IDENTITY_H
/* Who answers: chip, slots, running image. */
#include "control_message.h"

void identity_read(struct control_identity *ret);

/* What hosts take for the firmware's version: that of the running image, when it has the form of
 * one of upstream's releases, else "FG" and zeros. */
void identity_release(struct release *ret);

#endif
