/* SPDX-License-Identifier: Apache-2.0 */
/* The chips by name, for callers of the library. */
#include "fw_image.h"
#include "hosted/update.h"

const char *hosted_chip_name(uint16_t chip_id)
{
    return fw_chip_name(chip_id);
}

int hosted_chip_by_name(const char *name)
{
    return fw_chip_by_name(name);
}
