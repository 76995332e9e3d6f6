/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDKCONFIG_H
#define SDKCONFIG_H
/* What ESP-IDF's configuration would generate, as far as the components ask. */
#include <stdint.h>

#define CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE 1

/* One simulator is every chip: the constant of a build is a question here. */
uint16_t sim_firmware_chip_id(void);
#define CONFIG_IDF_FIRMWARE_CHIP_ID sim_firmware_chip_id()

#endif
