/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FREERTOS_TASK_H
#define FREERTOS_TASK_H
/* Declarations only: what the firmware's main/ is compiled against. In FreeRTOS some are macros. */
#include "freertos/FreeRTOS.h"

struct tskTaskControlBlock;
typedef struct tskTaskControlBlock *TaskHandle_t;
typedef void (*TaskFunction_t)(void *);

void taskENTER_CRITICAL(portMUX_TYPE *mux);
void taskEXIT_CRITICAL(portMUX_TYPE *mux);
BaseType_t xTaskCreate(TaskFunction_t code, const char *name, uint32_t stack_bytes,
                       void *parameters, UBaseType_t priority, TaskHandle_t *created);
TickType_t xTaskGetTickCount(void);
void vTaskDelay(TickType_t ticks);

#endif
