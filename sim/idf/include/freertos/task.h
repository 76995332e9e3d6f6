/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FREERTOS_TASK_H
#define FREERTOS_TASK_H
/* Declarations only: what the firmware's main/ is compiled against. In FreeRTOS some are macros. */
#include "freertos/FreeRTOS.h"

struct tskTaskControlBlock;
typedef struct tskTaskControlBlock *TaskHandle_t;
typedef void (*TaskFunction_t)(void *);

typedef struct {
    uint32_t owner, count;
} portMUX_TYPE;

#define portMUX_INITIALIZER_UNLOCKED {.owner = 0xb33fffff, .count = 0}

void taskENTER_CRITICAL(portMUX_TYPE *mux);
void taskEXIT_CRITICAL(portMUX_TYPE *mux);
BaseType_t xTaskCreate(TaskFunction_t code, const char *name, uint32_t stack_bytes,
                       void *parameters, UBaseType_t priority, TaskHandle_t *created);
TaskHandle_t xTaskGetCurrentTaskHandle(void);
TickType_t xTaskGetTickCount(void);
BaseType_t xTaskNotifyGive(TaskHandle_t task);
uint32_t ulTaskNotifyTake(BaseType_t clear_on_exit, TickType_t ticks_to_wait);

#endif
