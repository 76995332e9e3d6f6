/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole ESP32 application without ESP-IDF: says its name and version on the UART, over and over.
 * Register addresses: the chips' technical reference manuals.
 */
#include <stdint.h>

#ifndef PROJECT
#error "PROJECT and VERSION come from make_image.py"
#endif

#define REG(address) (*(volatile uint32_t *)(address))

#define WATCHDOG_KEY 0x50d83aa1u

#if defined(CHIP_ESP32)
#define UART_FIFO          0x3ff40000
#define UART_STATUS        0x3ff4001c
#define UART_TX_COUNT(reg) ((reg) >> 16 & 0xff)
#define RTC_WDT_KEY        0x3ff480a4
#define RTC_WDT_CONFIG     0x3ff4808c
#define TIMER_WDT_KEY      0x3ff5f064
#define TIMER_WDT_CONFIG   0x3ff5f048
#elif defined(CHIP_ESP32C3)
#define UART_FIFO          0x60000000
#define UART_STATUS        0x6000001c
#define UART_TX_COUNT(reg) ((reg) >> 16 & 0x3ff)
#define RTC_WDT_KEY        0x600080a8
#define RTC_WDT_CONFIG     0x60008090
#define TIMER_WDT_KEY      0x6001f064
#define TIMER_WDT_CONFIG   0x6001f048
#endif

struct descriptor { /* ESP-IDF's esp_app_desc_t */
    uint32_t magic, secure_version, reserved1[2];
    char version[32], project[32], time[16], date[16], idf_version[32];
    uint8_t elf_sha256[32]; /* filled by elf2image */
    uint16_t min_block_revision, max_block_revision;
    uint8_t mmu_page_log2, reserved2[75];
};

_Static_assert(sizeof(struct descriptor) == 256, "as the boot loader reads it");

const struct descriptor descriptor __attribute__((section(".flash.appdesc"), used)) = {
    .magic = 0xabcd5432,
    .version = VERSION,
    .project = PROJECT,
    .time = "12:00:00",
    .date = "Jan  1 2026",
    .idf_version = "none",
    .mmu_page_log2 = 16,
    .reserved2 = "esp-hosted-ota-ext-1", /* as if ota_device were in it */
};

#if FILL_BYTES > 0
/* Makes the image as long as was asked for, with bytes that differ from page to page. */
__asm__(".section .flash.rodata, \"a\"\n"
        ".incbin \"" FILL_FILE "\"\n"
        ".previous\n");
#endif

static void put(const char *text)
{
    for (; *text != '\0'; text++) {
        while (UART_TX_COUNT(REG(UART_STATUS)) > 100)
            ;
        REG(UART_FIFO) = (uint8_t)*text;
    }
}

static void switch_watchdogs_off(void)
{
    REG(RTC_WDT_KEY) = WATCHDOG_KEY;
    REG(RTC_WDT_CONFIG) = 0;
    REG(TIMER_WDT_KEY) = WATCHDOG_KEY;
    REG(TIMER_WDT_CONFIG) = 0;
}

void run(void);

__attribute__((noreturn)) void run(void)
{
    switch_watchdogs_off();
    for (;;) {
        put(descriptor.project);
        put(" ");
        put(descriptor.version);
        put("\r\n");
        for (volatile uint32_t i = 0; i < 10000000; i++)
            ;
    }
}
