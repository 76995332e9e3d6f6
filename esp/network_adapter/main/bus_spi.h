/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUS_SPI_H
#define BUS_SPI_H
/*
 * The bus to the host: SPI slave, transactions of 1600 bytes both ways, and two lines of our own.
 *
 *   handshake   high while exactly one transaction is armed
 *   data ready  high from when a frame waits until after the last one was fetched
 *
 * What goes out is bound when a transaction is armed: a frame that comes later waits for the next.
 */
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

/*
 * Takes a frame from the host, in a task of the bus. The bytes are borrowed. While it does not
 * return nothing is armed, and the host waits: that is the bus's only back-pressure.
 */
typedef void (*bus_spi_receiver)(const uint8_t *frame, size_t len);

/* Starts the bus and its task. Call once. */
esp_err_t bus_spi_start(bus_spi_receiver receiver);

/*
 * Queues a frame of at most FRAME_MAX_BYTES for the host. What the host is too slow for is lost:
 * station traffic at once, and so early that the control path keeps room; anything else after a
 * second. Without that end the bus, waiting for the receiver, and the receiver, waiting here,
 * could wait for each other.
 */
void bus_spi_send(const uint8_t *frame, size_t len);

#endif
