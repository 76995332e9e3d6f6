/* SPDX-License-Identifier: Apache-2.0 */
/* esp32-sim: one life of a virtual ESP32, from reset to reset. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bad_boot.h"
#include "board.h"
#include "esp_log.h"
#include "firmware.h"
#include "options.h"
#include "sim_log.h"
#include "stock.h"
#include "world/loop.h"
#include "world/stop.h"
#include "world/world.h"

#define STATUS_LOCAL 1

#define BOOT_US (300 * 1000) /* ROM and boot loader; a real one takes about as long */

static int complain(const char *what, int rc)
{
    fprintf(stderr, "esp32-sim: %s: %s\n", what, strerror(-rc));
    return rc;
}

/* Builds the world around the chip, once. */
static int make_world(const struct options *options)
{
    char why[256];
    int rc;

    sim_clock_init(&world->clock, options->time);
    bus_time_init(&world->bus_time, &options->bus_time);
    world->chip_id = options->chip_id;
    world->bus_mhz = (uint8_t)world->bus_time.settings.mhz;
    world->dialect = options->dialect;
    memcpy(world->mac, options->mac, sizeof(world->mac));
    world->flash = -1;
    world->bus.listener = world->bus.client = -1;

    rc = events_open(&world->events, options->events);
    if (rc < 0)
        return complain(options->events, rc);
    rc = ctl_listen(&world->ctl, options->ctl);
    if (rc < 0)
        return complain(options->ctl, rc);
    rc = air_load(&world->air, options->aps, why, sizeof(why));
    if (rc < 0) {
        fprintf(stderr, "esp32-sim: %s\n", why);
        return rc;
    }
    rc = bus_listen(&world->bus, options->bus);
    return rc < 0 ? complain(options->bus, rc) : 0;
}

static void remove_sockets(const struct options *options)
{
    if (world->bus.listener >= 0)
        unlink(options->bus);
    if (world->ctl.listener >= 0)
        unlink(options->ctl);
}

static const struct program *choose_program(const struct options *options)
{
    if (!options->stock)
        return &firmware_program;
    return options->dialect == DIALECT_CTRL ? &stock_ctrl_program : &stock_classic_program;
}

static void run(const struct options *options)
{
    const struct program *program = choose_program(options);

    world->tick_us = 0;
    sim_clock_spend_us(&world->clock, SPENT_CPU, BOOT_US);
    if (!board_boot() || !bad_boot_starts(options)) {
        loop_run(NULL);
        return;
    }
    world->boot_us = world_now_us();
    ESP_LOGI("app_init", "App version: %s", world->boot.version); /* as ESP-IDF's start-up does */
    if (program->start() < 0)
        world_reset(WORLD_RESET_PANIC);
    program = bad_boot_wrap(options, program);
    if (program != NULL)
        program->send_init();
    loop_run(program);
}

int main(int argc, char *const *argv)
{
    struct options options;
    char why[256];
    int status;

    stop_install();
    if (options_parse(argc, argv, &options, &status) != 0)
        return status;
    sim_log_enable(options.verbose);

    const int is_new = world_open(argv);

    if (is_new < 0) {
        complain("world", is_new);
        return STATUS_LOCAL;
    }
    status = is_new ? make_world(&options) : 0;
    if (status == 0) {
        status = board_open(&options, is_new, why, sizeof(why));
        if (status < 0)
            fprintf(stderr, "esp32-sim: %s\n", why);
    }
    if (status == 0)
        run(&options);
    remove_sockets(&options);
    return status == 0 ? 0 : STATUS_LOCAL;
}
