/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESP_PRIVATE_SPI_SLAVE_INTERNAL_H
#define ESP_PRIVATE_SPI_SLAVE_INTERNAL_H
/* Declarations only, the same in ESP-IDF v5.1 to v6.0. */
#include "driver/spi_slave.h"

esp_err_t spi_slave_queue_trans_isr(spi_host_device_t host,
                                    const spi_slave_transaction_t *trans_desc);

#endif
