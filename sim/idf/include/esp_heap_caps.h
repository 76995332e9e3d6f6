/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESP_HEAP_CAPS_H
#define ESP_HEAP_CAPS_H
/* Declarations only, of ESP-IDF v5.1 to v6.0. */
#include <stddef.h>
#include <stdint.h>

#define MALLOC_CAP_DMA (1 << 3)

void *heap_caps_malloc(size_t size, uint32_t caps);
void *heap_caps_calloc(size_t n, size_t size, uint32_t caps);

#endif
