/* SPDX-License-Identifier: Apache-2.0 */
#include "bus_time.h"

#define NEVER INT64_MAX

/* ESP-Hosted on SPI: one full buffer, both ways. The gap is from upstream's throughput at 10 MHz
 * (April 2026): re-arming, the lines' interrupts, the driver. One transaction is armed at a time:
 * by a task, as upstream does, or by the interrupt, while there are buffers, as main/bus_spi.c. */
#define SPI_BITS   (1600 * 8)
#define SPI_GAP_US 150
#define SPI_ARMED  1

/*
 * Four lines; what is sent is filled up to blocks of 512 bytes, and one more where it is whole
 * blocks; what is read to 4 bytes. Upstream's raw throughput at 41 MHz, 60 Mbit/s to the ESP32 and
 * 40 Mbit/s to the host with 1460 bytes a frame, leaves these gaps. The ESP32 has 20 buffers, which
 * its hardware fills by itself.
 */
#define SDIO_MHZ            40
#define SDIO_BLOCK_BYTES    512
#define SDIO_TO_ESP_GAP_US  120
#define SDIO_TO_HOST_GAP_US 220
#define SDIO_ARMED          20

/* Two wake-ups, of the driver and of the tool, at 30 to 80 us each, and the making of the next
 * request. */
#define HOST_US 200

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static unsigned within(unsigned value, unsigned max)
{
    return value < max ? value : max;
}

void bus_time_set_firmware(struct bus_time *bus, unsigned window, unsigned armed)
{
    if (bus->settings.window == 0)
        bus->window = within(window, BUS_MAX_WINDOW);
    if (bus->settings.armed == 0 && bus->settings.kind == BUS_SPI)
        bus->armed = within(armed, BUS_MAX_ARMED);
}

void bus_time_init(struct bus_time *bus, const struct bus_settings *settings)
{
    const bool sdio = settings->kind == BUS_SDIO;

    *bus = (struct bus_time){.settings = *settings};
    if (sdio && settings->mhz == 0)
        bus->settings.mhz = SDIO_MHZ;
    bus->armed = settings->armed > 0 ? settings->armed : sdio ? SDIO_ARMED : SPI_ARMED;
    bus->window = settings->window > 0 ? settings->window : 1;
    if (settings->host_us < 0)
        bus->settings.host_us = HOST_US;
}

static int64_t gap_us(const struct bus_time *bus, int64_t usual)
{
    return bus->settings.gap_us < 0 ? usual : bus->settings.gap_us;
}

static int64_t sdio_us(const struct bus_time *bus, size_t bytes, bool to_host)
{
    const size_t filled =
        to_host ? (bytes + 3) / 4 * 4 : (bytes / SDIO_BLOCK_BYTES + 1) * SDIO_BLOCK_BYTES;

    return (int64_t)filled * 2 / bus->settings.mhz +
           gap_us(bus, to_host ? SDIO_TO_HOST_GAP_US : SDIO_TO_ESP_GAP_US);
}

static int64_t spi_us(const struct bus_time *bus)
{
    return SPI_BITS / (int64_t)bus->settings.mhz + gap_us(bus, SPI_GAP_US);
}

/* When a task that has to do with the bus runs, if it wants to at `us`. Called with times that only
 * grow: older stalls are forgotten. */
static int64_t runs_at(struct bus_time *bus, int64_t us)
{
    while (bus->stall_count > 0) {
        const struct bus_stall *stall = &bus->stalls[bus->first_stall];

        if (stall->to_us > us)
            return us > stall->from_us ? stall->to_us : us;
        bus->first_stall = (bus->first_stall + 1) % BUS_TIME_STALLS;
        bus->stall_count--;
    }
    return us;
}

/* When the ESP32 had a buffer for the next transaction. */
static int64_t buffer_at(struct bus_time *bus)
{
    const unsigned armed = bus->armed;

    return bus->transactions < armed ? 0 : runs_at(bus, bus->ended_us[bus->transactions % armed]);
}

static void transaction_ends(struct bus_time *bus, int64_t us)
{
    bus->ended_us[bus->transactions++ % bus->armed] = us;
}

/* Of the next frame for the host. */
static int64_t ready_at(const struct bus_time *bus)
{
    return bus->delivered < bus->sent ? bus->ready_us[bus->delivered % BUS_TIME_FRAMES] : NEVER;
}

static void deliver(struct bus_time *bus, int64_t us)
{
    bus->delivered_us[bus->delivered++ % BUS_TIME_FRAMES] = us;
}

/*
 * The host clocks a transaction as soon as one is armed and either side has something. It fills its
 * half when it begins; the ESP32 had to when it was armed, which is when the one before was over
 * and there was a buffer.
 */
static bool transact_spi(struct bus_time *bus, int64_t host_us)
{
    const int64_t armed_us = later(bus->free_us, buffer_at(bus)), ready_us = ready_at(bus);
    const int64_t start_us = later(armed_us, earlier(host_us, ready_us));

    bus->free_us = start_us + spi_us(bus);
    transaction_ends(bus, bus->free_us);
    if (ready_us <= armed_us)
        deliver(bus, bus->free_us);
    return host_us <= start_us;
}

static bool transact_sdio(struct bus_time *bus, int64_t host_us, size_t host_bytes)
{
    const int64_t ready_us = ready_at(bus);
    const int64_t taken_us = host_us == NEVER ? NEVER : later(host_us, buffer_at(bus));

    if (ready_us <= taken_us) {
        const size_t bytes = bus->bytes[bus->delivered % BUS_TIME_FRAMES];

        bus->free_us = later(bus->free_us, ready_us) + sdio_us(bus, bytes, true);
        deliver(bus, bus->free_us);
        return false;
    }
    bus->free_us = later(bus->free_us, taken_us) + sdio_us(bus, host_bytes, false);
    transaction_ends(bus, bus->free_us);
    return true;
}

/* One transaction, of which somebody needs to know. The host has a frame of so many bytes from
 * host_us on (NEVER: none). Returns whether it has crossed. */
static bool transact(struct bus_time *bus, int64_t host_us, size_t host_bytes)
{
    return bus->settings.kind == BUS_SDIO ? transact_sdio(bus, host_us, host_bytes)
                                          : transact_spi(bus, host_us);
}

/* When the host had the first `count` frames. */
static int64_t delivered_by(struct bus_time *bus, uint64_t count)
{
    while (bus->delivered < count)
        transact(bus, NEVER, 0);
    /* Of frames long ago nothing is known but that. */
    if (count == 0 || bus->delivered - count >= BUS_TIME_FRAMES)
        return 0;
    return bus->delivered_us[(count - 1) % BUS_TIME_FRAMES];
}

/*
 * Which frames the host had seen when it sent its next request: a write leaves with the answer to
 * the write that makes room for it in the window, everything else with the last answer. What
 * answers a request is all that was sent before the next one was taken.
 */
static uint64_t waited_for(struct bus_time *bus, bool is_write)
{
    const uint64_t number = bus->requests++;
    const unsigned window = bus->window;
    uint64_t granting = number > window ? number - window : 0;

    if (number == 0) {
        bus->last_other = 0;
        return bus->sent;
    }
    bus->sent_by[(number - 1) % BUS_MAX_WINDOW] = bus->sent;
    if (!is_write) {
        bus->last_other = number;
        return bus->sent;
    }
    if (granting < bus->last_other)
        granting = bus->last_other;
    return bus->sent_by[granting % BUS_MAX_WINDOW];
}

static void request_leaves(struct bus_time *bus, bool is_write)
{
    bus->answered_us = delivered_by(bus, waited_for(bus, is_write));
    bus->left_us = later(bus->left_us, bus->answered_us + bus->settings.host_us);
}

int64_t bus_time_receive(struct bus_time *bus, const struct bus_frame *frame, int64_t now_us)
{
    int64_t left_us;

    if (frame->is_serial && frame->begins)
        request_leaves(bus, frame->is_write);
    /* What is no message of the control path comes whenever it comes. */
    left_us = frame->is_serial ? bus->left_us : now_us;
    while (!transact(bus, left_us, frame->bytes))
        ;
    return bus->free_us;
}

void bus_time_send(struct bus_time *bus, size_t bytes, int64_t now_us)
{
    /* A host that only listens: nobody has asked so far when these crossed. */
    while (bus->sent - bus->delivered == BUS_TIME_FRAMES)
        transact(bus, NEVER, 0);
    bus->ready_us[bus->sent % BUS_TIME_FRAMES] = now_us;
    bus->bytes[bus->sent % BUS_TIME_FRAMES] = (uint16_t)bytes;
    bus->sent++;
}

void bus_time_stall(struct bus_time *bus, int64_t from_us, int64_t to_us, bool goes_on)
{
    const unsigned next = (bus->first_stall + bus->stall_count) % BUS_TIME_STALLS;

    if (goes_on && bus->stall_count > 0) {
        bus->stalls[(next + BUS_TIME_STALLS - 1) % BUS_TIME_STALLS].to_us = to_us;
        return;
    }
    bus->stalls[next] = (struct bus_stall){from_us, to_us};
    if (bus->stall_count < BUS_TIME_STALLS)
        bus->stall_count++;
    else
        bus->first_stall = (next + 1) % BUS_TIME_STALLS;
}

void bus_time_not_before(struct bus_time *bus, int64_t us)
{
    bus->left_us = later(bus->left_us, us);
}
