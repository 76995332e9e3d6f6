/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESP_ATTR_H
#define ESP_ATTR_H
/* Where the chip's linker would put things. Here only RTC_NOINIT_ATTR makes a difference: what it
 * marks is kept over a reset that leaves the power on (sim/world/world.c). `used`, or a compiler
 * takes it for granted that nobody else writes there. */
#define IRAM_ATTR
#define DRAM_ATTR
#define EXT_RAM_BSS_ATTR
#define WORD_ALIGNED_ATTR __attribute__((aligned(4)))
#define DMA_ATTR          WORD_ALIGNED_ATTR DRAM_ATTR
#define NOINLINE_ATTR     __attribute__((noinline))
#define RTC_NOINIT_ATTR   __attribute__((section("rtc_noinit"), used))

#endif
