/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define ADVANCE_MAX_S 1e6 /* eleven days; a timer that fires each second fires a million times */

struct command {
    const char *name;
    void (*run)(int client, const char *argument);
};

static void run_status(int client, const char *argument)
{
    static const char *const modes[] = {
        [SIM_CLOCK_REAL] = "real", [SIM_CLOCK_VIRTUAL] = "virtual", [SIM_CLOCK_NONE] = "none"};
    const int64_t now_us = world_now_us();
    char boot[512];

    (void)argument;
    boot_report_json(&world->boot, boot, sizeof(boot));
    ctl_reply(&world->ctl, client,
              "{\"t\": %" PRId64 ".%06" PRId64 ", \"time\": \"%s\", %s, \"reset\": \"%s\", "
              "\"operations\": %" PRIu64 ", \"bus\": %s, \"associated\": %s}",
              now_us / 1000000, now_us % 1000000, modes[world->clock.mode], boot,
              world_reset_name(world->reset), world->flash_operations,
              world->bus.client >= 0 ? "true" : "false",
              world->air.joined != AIR_NO_AP ? "true" : "false");
}

static void run_advance(int client, const char *argument)
{
    char *end;
    const double seconds = strtod(argument, &end);

    if (end == argument || *end != '\0' || !(seconds >= 0 && seconds <= ADVANCE_MAX_S)) {
        ctl_reply(&world->ctl, client, "error: advance takes a number of seconds");
        return;
    }
    if (world->clock.mode == SIM_CLOCK_REAL) {
        ctl_reply(&world->ctl, client, "error: real time advances by itself");
        return;
    }
    world->advancing = true;
    world->advance_client = client;
    world->advance_to_us = world_now_us() + (int64_t)llround(seconds * 1e6);
}

void command_finish_advance(void)
{
    sim_clock_move_to(&world->clock, world->advance_to_us);
    bus_time_not_before(&world->bus_time, world_now_us());
    world->advancing = false;
    ctl_reply(&world->ctl, world->advance_client, "ok");
}

static void run_reset(int client, const char *argument)
{
    (void)argument;
    ctl_reply(&world->ctl, client, "ok");
    world_reset(WORLD_RESET_EXTERNAL);
}

static void switch_ap(int client, const char *ssid, bool on)
{
    if (air_switch(&world->air, ssid, on) > 0)
        ctl_reply(&world->ctl, client, "ok");
    else
        ctl_reply(&world->ctl, client, "error: no access point has this name: %s", ssid);
}

static void run_ap_off(int client, const char *argument)
{
    switch_ap(client, argument, false);
}

static void run_ap_on(int client, const char *argument)
{
    switch_ap(client, argument, true);
}

void command_run(int client, const char *line)
{
    static const struct command commands[] = {
        {"status", run_status}, {"advance", run_advance}, {"reset", run_reset},
        {"ap-off", run_ap_off}, {"ap-on", run_ap_on},
    };
    const size_t name_len = strcspn(line, " ");
    const char *const argument = line + name_len + (line[name_len] == ' ' ? 1 : 0);

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strlen(commands[i].name) == name_len && memcmp(commands[i].name, line, name_len) == 0) {
            commands[i].run(client, argument);
            return;
        }
    }
    ctl_reply(&world->ctl, client,
              "error: not a command: status, advance SECONDS, reset, ap-off SSID, ap-on SSID");
}
