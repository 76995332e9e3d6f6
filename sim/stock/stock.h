/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_STOCK_H
#define SIM_STOCK_H
/*
 * --stock: how upstream's firmware behaves at its bus, faults included. Written from what its
 * handlers were seen to do; it runs on the same ESP-IDF calls as our own firmware.
 *
 * There are two of them, stock_classic.h (October 2021) and stock_ctrl.h (April 2026). Here is what
 * they share.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "esp_err.h"
#include "esp_wifi.h"
#include "program.h"
#include "serial_tlv.h"

extern const struct program stock_classic_program;
extern const struct program stock_ctrl_program;

#define STOCK_SUCCESS 0
#define STOCK_FAILURE (-1)

/* ESP-IDF's default: see world->yield_us. */
#define STOCK_YIELD_US 20000

_Noreturn void stock_panic(const char *why);

/* The bus: stock_serial.c. */

/* What the bus hands over to. */
struct stock_receiver {
    /* One message, put together from fragments: as it came, or what a lost fragment or the end of
     * the receive buffer left of it. */
    void (*take)(const uint8_t *message, size_t len);
    bool (*station_is_connected)(void);
};

/* `receiver` is kept. */
void stock_serial_start(const struct stock_receiver *receiver);

/* One frame from the bus. */
void stock_serial_on_frame(const uint8_t *bytes, size_t len);

/* Sends `body` to the host for an endpoint, in fragments. */
void stock_serial_send(const char *endpoint, const ProtobufCMessage *body);

/* Sends the private INIT event with these TLVs. */
void stock_serial_send_init(const uint8_t *tlvs, uint8_t len);

/* One Ethernet frame from Wi-Fi: the driver's receive callback. */
esp_err_t stock_station_rx(void *buffer, uint16_t len, void *eb);

/*
 * Cuts a message into endpoint and data as upstream's parser does: in any order, the last of each
 * if there are several. Returns 0; -EBADMSG for what it refuses; -EOVERFLOW where it would read
 * beyond the end of the message. *ret is written on success only.
 */
int stock_tlv_find(const uint8_t *message, size_t len, struct serial_tlv *ret);

bool stock_tlv_is_for(const struct serial_tlv *parts, const char *endpoint);

/* The tags of the private INIT event. */
#define STOCK_TAG_CAPABILITY      0
#define STOCK_TAG_SPI_CLOCK_MHZ   1
#define STOCK_TAG_CHIP            2
#define STOCK_TAG_RAW_THROUGHPUT  3
#define STOCK_TAG_VERSION         4
#define STOCK_CAPABILITY_WLAN_SPI 0x20
#define STOCK_CAPABILITY_CHECKSUM 0x80

/* Wi-Fi: stock_wifi.c. */

/* "aa:bb:cc:dd:ee:ff" and a NUL. */
#define STOCK_MAC_TEXT_BYTES 18
void stock_mac_text(const uint8_t mac[6], char ret[STOCK_MAC_TEXT_BYTES]);

/* The address of the interface that `mode` names; false when it names none. */
bool stock_get_mac_text(int32_t mode, char ret[STOCK_MAC_TEXT_BYTES]);

/* Sets it. Returns STOCK_SUCCESS or STOCK_FAILURE. */
int32_t stock_set_mac_text(int32_t mode, const uint8_t *text, size_t len);

/* One access point of a scan. */
struct stock_ap {
    wifi_ap_record_t record;
    char bssid[STOCK_MAC_TEXT_BYTES];
};

#define STOCK_MAX_FOUND 32

/* Returns how many were found; none is a failure, as every other trouble. */
size_t stock_scan(struct stock_ap found[STOCK_MAX_FOUND]);

/* Copies what fits of a string (NULL: empty) into a field, whose rest becomes 0. */
void stock_put_text(uint8_t *field, size_t size, const char *text);

/* The address of the wanted access point; NULL or empty: any. Returns false for nonsense. */
bool stock_put_bssid(wifi_sta_config_t *config, const char *text);

/* The update, straight on esp_ota_*: stock_ota.c. */
esp_err_t stock_ota_begin(void);
esp_err_t stock_ota_write(const uint8_t *data, size_t len);

/* Validates, selects, and restarts five seconds later. */
esp_err_t stock_ota_end(void);

#endif
