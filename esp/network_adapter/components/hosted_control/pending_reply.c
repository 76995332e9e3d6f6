/* SPDX-License-Identifier: Apache-2.0 */
#include "pending_reply.h"

#include <string.h>

#include "esp_timer.h"

/* Hosts wait 30 s for an answer: it must be there by then, whatever the radio does. */
#define LIMIT_US (25 * 1000 * 1000)

static void (*s_replier)(const struct control_reply *reply);
static bool s_active;
static bool s_promised; /* the answer is out, the outcome is not */
static struct control_reply s_reply;
static int64_t s_deadline_us;

void pending_reply_init(void (*replier)(const struct control_reply *reply))
{
    s_replier = replier;
}

void pending_reply_start(const struct control_request *request)
{
    s_active = true;
    s_promised = false;
    s_reply = (struct control_reply){.origin = request->origin, .op = request->op};
    s_deadline_us = esp_timer_get_time() + LIMIT_US;
}

bool pending_reply_is_active(void)
{
    return s_active;
}

bool pending_reply_is(enum control_op op)
{
    return s_active && s_reply.op == op;
}

bool pending_reply_is_overdue(void)
{
    return s_active && esp_timer_get_time() >= s_deadline_us;
}

void pending_reply_promise(const char mac[CONTROL_MAC_CHARS + 1])
{
    s_promised = true;
    s_reply.result = CONTROL_SUCCESS;
    memcpy(s_reply.mac, mac, sizeof(s_reply.mac));
    s_replier(&s_reply);
}

void pending_reply_conclude(enum control_op op, int32_t result)
{
    if (!pending_reply_is(op))
        return;
    s_active = false;
    if (s_promised)
        return;
    s_reply.result = result;
    s_replier(&s_reply);
}

void pending_reply_conclude_scan(const struct control_ap *list, size_t count)
{
    s_reply.scan.list = list;
    s_reply.scan.count = count;
    pending_reply_conclude(CONTROL_SCAN, CONTROL_SUCCESS);
}
