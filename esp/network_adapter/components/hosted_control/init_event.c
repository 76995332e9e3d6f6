/* SPDX-License-Identifier: Apache-2.0 */
#include "init_event.h"

#include <string.h>

#include "hosted_control.h"
#include "identity.h"
#include "sdkconfig.h"

/* ESP-Hosted, adapter.h */
enum {
    TAG_CAPABILITY = 0,
    TAG_SPI_CLOCK = 1, /* until 2022 */
    TAG_CHIP_ID = 2,
    TAG_RAW_THROUGHPUT = 3, /* since 2022: a test mode, which this firmware has not */
    TAG_RELEASE = 4,        /* since July 2024 */
};

/* Frames carry checksums. Drivers of the classic days take that for granted; today's neither send
 * nor look at them without this bit. */
#define CAPABILITY_CHECKSUM 0x80

#define RELEASE_NAME_CHARS 2 /* and a NUL */
#define RELEASE_BYTES      (RELEASE_NAME_CHARS + 1 + RELEASE_NUMBERS)

static uint8_t *put_byte(uint8_t *at, uint8_t tag, uint8_t value)
{
    *at++ = tag;
    *at++ = 1;
    *at++ = value;
    return at;
}

size_t init_event_put_classic(const struct hosted_control_port *port,
                              uint8_t buf[CONTROL_INIT_MAX_BYTES])
{
    uint8_t *at = buf;

    at = put_byte(at, TAG_CHIP_ID, (uint8_t)CONFIG_IDF_FIRMWARE_CHIP_ID);
    at = put_byte(at, TAG_SPI_CLOCK, port->spi_clock_mhz);
    at = put_byte(at, TAG_CAPABILITY, port->capabilities);
    return (size_t)(at - buf);
}

/* The driver that reads it refuses a release that is not its own. */
static uint8_t *put_release(uint8_t *at)
{
    struct release release;

    identity_release(&release);
    *at++ = TAG_RELEASE;
    *at++ = RELEASE_BYTES;
    memset(at, 0, RELEASE_BYTES);
    memcpy(at, release.name, strnlen(release.name, RELEASE_NAME_CHARS));
    at += RELEASE_NAME_CHARS + 1;
    for (int i = 0; i < RELEASE_NUMBERS; i++) /* one byte each: what is above is not another's */
        *at++ = release.numbers[i] < UINT8_MAX ? (uint8_t)release.numbers[i] : UINT8_MAX;
    return at;
}

size_t init_event_put_ctrl(const struct hosted_control_port *port,
                           uint8_t buf[CONTROL_INIT_MAX_BYTES])
{
    uint8_t *at = buf;

    at = put_byte(at, TAG_CHIP_ID, (uint8_t)CONFIG_IDF_FIRMWARE_CHIP_ID);
    at = put_byte(at, TAG_CAPABILITY, port->capabilities | CAPABILITY_CHECKSUM);
    at = put_byte(at, TAG_RAW_THROUGHPUT, 0);
    at = put_release(at);
    return (size_t)(at - buf);
}
