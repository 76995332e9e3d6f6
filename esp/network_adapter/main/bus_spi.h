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
 * The interrupt arms the next one as soon as one ends, also while the flash is erased or programmed
 * and no task runs: so what the host sends meanwhile fills the receive buffers.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

/*
 * Takes a frame from the host, in a task of the bus. True: the bytes are the receiver's until it
 * gives them back. False: it is done with them. There are CONFIG_HOSTED_RECEIVE_BUFFERS of 1600
 * bytes; while the receiver has all of them nothing is armed, and the host waits: that is the bus's
 * only back-pressure. Nothing is lost over it.
 */
typedef bool (*bus_spi_receiver)(const uint8_t *frame, size_t len);

/* Gives back what the receiver was handed, from any task and in any order. */
void bus_spi_give_back(const uint8_t *frame);

/* Starts the bus and its task. Call once. */
esp_err_t bus_spi_start(bus_spi_receiver receiver);

/*
 * Queues a frame of at most FRAME_MAX_BYTES for the host. What the host is too slow for is lost:
 * station traffic at once, and so early that the control path keeps room; anything else after a
 * second. Without that end the bus, whose buffers the receiver all has, and the receiver, waiting
 * here, could wait for each other.
 */
void bus_spi_send(const uint8_t *frame, size_t len);

#endif
