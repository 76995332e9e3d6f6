/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_STOCK_H
#define SIM_STOCK_H
/*
 * --stock: how upstream's firmware of October 2021 behaves at its bus, faults included. Written
 * from what its handlers were seen to do; it runs on the same ESP-IDF calls as our own firmware.
 *
 * Its control task returns at the first request that it cannot handle, and FreeRTOS panics when a
 * task returns: that is a stock_panic() here.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "hosted_classic.pb-c.h"
#include "program.h"

extern const struct program stock_program;

_Noreturn void stock_panic(const char *why);

/* What a handler did with its request. */
enum stock_outcome {
    STOCK_REPLIES,
    STOCK_REPLIES_LATER, /* it waits, and with it the control task: stock_reply() comes */
    STOCK_FAILS,         /* no reply, and the end of the control task */
};

/* One whole message of the control path (endpoint and data). */
void stock_control_take(const uint8_t *message, size_t len);

/* Sends the reply that stock_control_take() left open. */
void stock_control_finish(HostedClassic__Message *reply);
bool stock_control_is_busy(void);

/* Sends one message to the host, in fragments. */
void stock_serial_send(const uint8_t *message, size_t len);

/* Handlers; `reply` has its number already. Submessages are static: one request at a time. */
enum stock_outcome stock_get_mac(const HostedClassic__Message *request,
                                 HostedClassic__Message *reply);
enum stock_outcome stock_set_mac(const HostedClassic__Message *request,
                                 HostedClassic__Message *reply);
enum stock_outcome stock_get_mode(const HostedClassic__Message *request,
                                  HostedClassic__Message *reply);
enum stock_outcome stock_set_mode(const HostedClassic__Message *request,
                                  HostedClassic__Message *reply);
enum stock_outcome stock_scan(const HostedClassic__Message *request, HostedClassic__Message *reply);
enum stock_outcome stock_get_ap(const HostedClassic__Message *request,
                                HostedClassic__Message *reply);
enum stock_outcome stock_connect_ap(const HostedClassic__Message *request,
                                    HostedClassic__Message *reply);
enum stock_outcome stock_disconnect_ap(const HostedClassic__Message *request,
                                       HostedClassic__Message *reply);
enum stock_outcome stock_ota_begin(const HostedClassic__Message *request,
                                   HostedClassic__Message *reply);
enum stock_outcome stock_ota_write(const HostedClassic__Message *request,
                                   HostedClassic__Message *reply);
enum stock_outcome stock_ota_end(const HostedClassic__Message *request,
                                 HostedClassic__Message *reply);

/* One Ethernet frame from Wi-Fi: the driver's receive callback. */
esp_err_t stock_station_rx(void *buffer, uint16_t len, void *eb);

/* What the firmware believes; it learns of a lost connection only when it asks the driver. */
bool stock_station_is_connected(void);

#define STOCK_SUCCESS 0
#define STOCK_FAILURE (-1)

/* "aa:bb:cc:dd:ee:ff" and a NUL. */
#define STOCK_MAC_TEXT_BYTES 18
void stock_mac_text(const uint8_t mac[6], char ret[STOCK_MAC_TEXT_BYTES]);

#endif
