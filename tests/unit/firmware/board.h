/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARD_H
#define BOARD_H
/* A chip with a flash: the models of sim/chip, without a simulator around them. */
#include <stdbool.h>
#include <stdint.h>

#include "chip.h"

#define BOARD_FLASH_BYTES (4u << 20)
#define CHIP_ESP32        0
#define CHIP_ESP32C3      5

/* nvs, otadata, phy_init and two slots, as the firmware's own table of the ESP32 has them. */
extern const char board_two_slots[];

/*
 * A new flash with that table, an image of version 1.0.0 where it boots, a world without time, and
 * a boot loader with rollback. ESP-IDF is the release that this is compiled for. Once per process.
 */
void board_make(uint16_t chip_id, const char *table);

/* The boot loader chooses; returns the label of what runs now, "" for nothing. */
const char *board_boot(void);

/* Where a partition lies in the flash. */
uint8_t *board_partition(const char *label);
uint32_t board_partition_size(const char *label);
uint32_t board_address(const char *label);

/* One place of the flash is broken from now on, and no other. */
void board_break(enum flash_fault_kind kind, uint32_t at);

/* The state of that slot in otadata (enum otadata_state), or -1. */
int64_t board_slot_state(const char *label);

#endif
