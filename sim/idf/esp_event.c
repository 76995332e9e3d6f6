/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_event.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "timers.h"
#include "world.h"

struct handler {
    esp_event_base_t base;
    int32_t id;
    esp_event_handler_t call;
    void *arg;
    struct handler *next;
};

struct event {
    esp_event_base_t base;
    int32_t id;
    struct event *next;
    size_t size;
    uint8_t data[];
};

static bool s_created;
static bool s_dispatching; /* handlers taken away now are only marked: call is NULL */
static struct handler *s_handlers;
static struct event *s_first, **s_last = &s_first;

static void dispatch(void *ctx);

static struct sim_timer s_wake = {.fire = dispatch};

static bool wants(const struct handler *handler, const struct event *event)
{
    return handler->call != NULL &&
           (handler->base == ESP_EVENT_ANY_BASE || strcmp(handler->base, event->base) == 0) &&
           (handler->id == ESP_EVENT_ANY_ID || handler->id == event->id);
}

static void sweep(void)
{
    struct handler **at = &s_handlers;

    while (*at != NULL) {
        struct handler *const handler = *at;

        if (handler->call == NULL) {
            *at = handler->next;
            free(handler);
        } else {
            at = &handler->next;
        }
    }
}

/* One event at each call, so that what its handlers cause comes before the next. */
static void dispatch(void *ctx)
{
    struct event *const event = s_first;

    (void)ctx;
    s_first = event->next;
    if (s_first == NULL)
        s_last = &s_first;
    else
        sim_timer_arm(&s_wake, SIM_TIMER_WORLD, world_now_us());
    s_dispatching = true;
    for (const struct handler *handler = s_handlers; handler != NULL; handler = handler->next) {
        if (wants(handler, event))
            handler->call(handler->arg, event->base, event->id,
                          event->size > 0 ? event->data : NULL);
    }
    s_dispatching = false;
    sweep();
    free(event);
}

esp_err_t esp_event_loop_create_default(void)
{
    if (s_created)
        return ESP_ERR_INVALID_STATE;
    s_created = true;
    return ESP_OK;
}

esp_err_t esp_event_handler_instance_register(esp_event_base_t event_base, int32_t event_id,
                                              esp_event_handler_t event_handler,
                                              void *event_handler_arg,
                                              esp_event_handler_instance_t *instance)
{
    struct handler **at = &s_handlers;

    if (!s_created)
        return ESP_ERR_INVALID_STATE;
    if (event_handler == NULL || (event_base == ESP_EVENT_ANY_BASE && event_id != ESP_EVENT_ANY_ID))
        return ESP_ERR_INVALID_ARG;

    struct handler *const handler = malloc(sizeof(*handler));

    if (handler == NULL)
        return ESP_ERR_NO_MEM;
    *handler = (struct handler){event_base, event_id, event_handler, event_handler_arg, NULL};
    while (*at != NULL)
        at = &(*at)->next;
    *at = handler;
    if (instance != NULL)
        *instance = handler;
    return ESP_OK;
}

esp_err_t esp_event_handler_register(esp_event_base_t event_base, int32_t event_id,
                                     esp_event_handler_t event_handler, void *event_handler_arg)
{
    return esp_event_handler_instance_register(event_base, event_id, event_handler,
                                               event_handler_arg, NULL);
}

/* As in ESP-IDF, it is no error when there is nothing to take away. */
static esp_err_t take_away(struct handler *handler)
{
    if (handler != NULL)
        handler->call = NULL;
    if (!s_dispatching)
        sweep();
    return ESP_OK;
}

esp_err_t esp_event_handler_unregister(esp_event_base_t event_base, int32_t event_id,
                                       esp_event_handler_t event_handler)
{
    struct handler *handler = s_handlers;

    if (!s_created)
        return ESP_ERR_INVALID_STATE;
    if (event_handler == NULL)
        return ESP_ERR_INVALID_ARG;
    while (handler != NULL && (handler->base != event_base || handler->id != event_id ||
                               handler->call != event_handler))
        handler = handler->next;
    return take_away(handler);
}

esp_err_t esp_event_handler_instance_unregister(esp_event_base_t event_base, int32_t event_id,
                                                esp_event_handler_instance_t instance)
{
    struct handler *handler = s_handlers;

    (void)event_base;
    (void)event_id;
    if (!s_created)
        return ESP_ERR_INVALID_STATE;
    if (instance == NULL)
        return ESP_ERR_INVALID_ARG;
    while (handler != NULL && handler != instance)
        handler = handler->next;
    return take_away(handler);
}

esp_err_t esp_event_post(esp_event_base_t event_base, int32_t event_id, const void *event_data,
                         size_t event_data_size, TickType_t ticks_to_wait)
{
    (void)ticks_to_wait; /* the queue has no end */
    if (!s_created)
        return ESP_ERR_INVALID_STATE;
    if (event_base == ESP_EVENT_ANY_BASE || event_id == ESP_EVENT_ANY_ID)
        return ESP_ERR_INVALID_ARG;

    struct event *const event = malloc(sizeof(*event) + event_data_size);

    if (event == NULL)
        return ESP_ERR_NO_MEM;
    *event = (struct event){.base = event_base, .id = event_id, .size = event_data_size};
    if (event_data_size > 0)
        memcpy(event->data, event_data, event_data_size);
    *s_last = event;
    s_last = &event->next;
    if (!s_wake.armed)
        sim_timer_arm(&s_wake, SIM_TIMER_WORLD, world_now_us());
    return ESP_OK;
}
