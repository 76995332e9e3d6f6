/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FREERTOS_QUEUE_H
#define FREERTOS_QUEUE_H
/* Declarations only: what the firmware's main/ is compiled against. In FreeRTOS some are macros. */
#include "freertos/FreeRTOS.h"

struct QueueDefinition;
typedef struct QueueDefinition *QueueHandle_t;

QueueHandle_t xQueueCreate(UBaseType_t length, UBaseType_t item_size);
BaseType_t xQueueSend(QueueHandle_t queue, const void *item, TickType_t ticks_to_wait);
BaseType_t xQueueReceive(QueueHandle_t queue, void *item, TickType_t ticks_to_wait);
UBaseType_t uxQueueMessagesWaiting(const QueueHandle_t queue);

#endif
