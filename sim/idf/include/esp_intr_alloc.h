/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESP_INTR_ALLOC_H
#define ESP_INTR_ALLOC_H
/* Of ESP-IDF v5.5; v5.1 and v6.0 have the same. */

#define ESP_INTR_FLAG_IRAM (1 << 10) /* also while the flash cannot be read */

#endif
