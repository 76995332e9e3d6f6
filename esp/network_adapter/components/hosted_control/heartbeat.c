/* SPDX-License-Identifier: Apache-2.0 */
#include "heartbeat.h"

#include "esp_timer.h"

/* Upstream's: what is outside is taken as the nearer of them. */
#define MIN_SECONDS 10
#define MAX_SECONDS 3600

#define SECOND_US ((int64_t)1000000)

static void (*s_notifier)(const struct control_event *event);
static int64_t s_period_us; /* 0: off */
static int64_t s_due_us;
static int32_t s_number; /* of the last one */

void heartbeat_init(void (*notifier)(const struct control_event *event))
{
    s_notifier = notifier;
}

void heartbeat_configure(bool enable, int32_t seconds)
{
    if (seconds < MIN_SECONDS)
        seconds = MIN_SECONDS;
    if (seconds > MAX_SECONDS)
        seconds = MAX_SECONDS;
    s_period_us = enable ? seconds * SECOND_US : 0;
    s_due_us = esp_timer_get_time() + s_period_us;
    s_number = 0;
}

/* At the last tick before it would be late: a host counts the seconds without a beat. */
void heartbeat_on_tick(void)
{
    const int64_t now = esp_timer_get_time();

    if (s_period_us == 0 || now + SECOND_US <= s_due_us)
        return;
    s_due_us += s_period_us;
    if (s_due_us <= now) /* the application did not tick for so long: one beat, not many */
        s_due_us = now + s_period_us;
    s_number = s_number < INT32_MAX ? s_number + 1 : 1;
    s_notifier(&(struct control_event){.kind = CONTROL_EVENT_HEARTBEAT, .heartbeat = s_number});
}
