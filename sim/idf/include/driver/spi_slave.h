/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DRIVER_SPI_SLAVE_H
#define DRIVER_SPI_SLAVE_H
/*
 * Declarations only, of ESP-IDF v5.5 (and, here, of what driver/spi_common.h and hal/spi_types.h
 * add). v5.1 has no `flags` in a transaction; the functions are the same in v5.1 and v6.0.
 */
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

typedef enum {
    SPI1_HOST = 0,
    SPI2_HOST = 1,
} spi_host_device_t;

typedef enum {
    SPI_DMA_DISABLED = 0,
    SPI_DMA_CH_AUTO = 3,
} spi_dma_chan_t;

typedef struct {
    int mosi_io_num;
    int miso_io_num;
    int sclk_io_num;
    int quadwp_io_num;
    int quadhd_io_num;
    int max_transfer_sz;
    uint32_t flags;
    int intr_flags;
} spi_bus_config_t;

typedef struct spi_slave_transaction_t spi_slave_transaction_t;
typedef void (*slave_transaction_cb_t)(spi_slave_transaction_t *trans);

typedef struct {
    int spics_io_num;
    uint32_t flags;
    int queue_size;
    uint8_t mode;
    slave_transaction_cb_t post_setup_cb;
    slave_transaction_cb_t post_trans_cb;
} spi_slave_interface_config_t;

struct spi_slave_transaction_t {
    uint32_t flags;
    size_t length;
    size_t trans_len;
    const void *tx_buffer;
    void *rx_buffer;
    void *user;
};

esp_err_t spi_slave_initialize(spi_host_device_t host, const spi_bus_config_t *bus_config,
                               const spi_slave_interface_config_t *slave_config,
                               spi_dma_chan_t dma_chan);
esp_err_t spi_slave_queue_trans(spi_host_device_t host, const spi_slave_transaction_t *trans_desc,
                                uint32_t ticks_to_wait);
esp_err_t spi_slave_get_trans_result(spi_host_device_t host, spi_slave_transaction_t **trans_desc,
                                     uint32_t ticks_to_wait);

#endif
