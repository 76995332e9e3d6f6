/* SPDX-License-Identifier: Apache-2.0 */
#include "init_event.h"

#include <stdio.h>
#include <string.h>

enum {
    PACKET_EVENT = 0,
    EVENT_INIT = 0,

    TAG_CAPABILITIES = 0,
    TAG_SPI_MHZ = 1,
    TAG_CHIP = 2,
    TAG_RAW_THROUGHPUT = 3,
    TAG_FIRMWARE = 4,

    FIRMWARE_BYTES = 8, /* three characters, then five numbers */
};

static void read_firmware(const uint8_t *value, struct init_event *event)
{
    char name[4] = {0};

    memcpy(name, value, 3);
    for (size_t i = 0; name[i] != '\0'; i++)
        if (name[i] < '!' || name[i] > '~')
            name[i] = '?';
    snprintf(event->firmware, sizeof(event->firmware), "%s-%d.%d.%d.%d.%d", name, value[3],
             value[4], value[5], value[6], value[7]);
}

static void read_tlv(uint8_t tag, const uint8_t *value, size_t len, struct init_event *event)
{
    if (tag == TAG_CAPABILITIES && len == 1)
        event->capabilities = value[0];
    else if (tag == TAG_SPI_MHZ && len == 1)
        event->spi_mhz = value[0];
    else if (tag == TAG_CHIP && len == 1)
        event->chip = value[0];
    else if (tag == TAG_RAW_THROUGHPUT && len == 1)
        event->raw_throughput = value[0];
    else if (tag == TAG_FIRMWARE && len == FIRMWARE_BYTES)
        read_firmware(value, event);
}

bool init_event_parse(const struct frame *frame, struct init_event *ret)
{
    struct init_event event = {.chip = -1, .capabilities = -1, .spi_mhz = -1, .raw_throughput = -1};

    if (frame->interface_type != FRAME_PRIVATE || frame->packet_type != PACKET_EVENT ||
        frame->length < 2 || frame->payload[0] != EVENT_INIT)
        return false;

    const uint8_t *at = frame->payload + 2;
    size_t left = frame->length - 2u;

    if (left > frame->payload[1])
        left = frame->payload[1];
    while (left >= 2 && (size_t)at[1] + 2 <= left) {
        const size_t whole = (size_t)at[1] + 2;

        read_tlv(at[0], at + 2, at[1], &event);
        at += whole;
        left -= whole;
    }
    *ret = event;
    return true;
}

const char *init_event_chip_name(int chip)
{
    switch (chip) {
    case 0x00:
        return "ESP32";
    case 0x02:
        return "ESP32-S2";
    case 0x05:
        return "ESP32-C3";
    case 0x09:
        return "ESP32-S3";
    case 0x0C:
        return "ESP32-C2";
    case 0x0D:
        return "ESP32-C6";
    case 0x17:
        return "ESP32-C5";
    default:
        return NULL;
    }
}
