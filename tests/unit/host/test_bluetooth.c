/* SPDX-License-Identifier: Apache-2.0 */
/* With a kernel of its own, by --wrap: socket() and ioctl() on AF_BLUETOOTH. */
#include "bluetooth.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { USB = 1, UART = 3, SDIO = 6, SPI = 7 }; /* of the kernel's hci.h */

#define UP   (1U << 0)
#define DOWN 0U
#define BUSY ((1U << 1) | (1U << 2)) /* other flags than HCI_UP */

struct adapter {
    uint16_t id;
    uint8_t type;
    uint32_t flags;
};

static struct adapter adapters[20];
static size_t count;
static int socket_error; /* 0: there is Bluetooth */
static int list_error;
static int opened, closed;

int __wrap_socket(int domain, int type, int protocol);
int __wrap_ioctl(int fd, unsigned long request, void *data);
int __wrap_close(int fd);
int __real_close(int fd);

#define FD 1000000 /* no descriptor of this process */

int __wrap_socket(int domain, int type, int protocol)
{
    assert_int_equal(domain, 31);
    assert_int_equal(type, SOCK_RAW | SOCK_CLOEXEC);
    assert_int_equal(protocol, 1);
    if (socket_error != 0) {
        errno = socket_error;
        return -1;
    }
    opened++;
    return FD;
}

int __wrap_close(int fd)
{
    if (fd != FD)
        return __real_close(fd);
    closed++;
    return 0;
}

/* The layouts by their offsets: what the code says of them must not be believed here. */
static int list(uint8_t *data)
{
    uint16_t room;

    memcpy(&room, data, sizeof(room));
    assert_in_range(room, 1, 1024);
    if (list_error != 0) {
        errno = list_error;
        return -1;
    }

    const uint16_t n = count < room ? (uint16_t)count : room;

    memcpy(data, &n, sizeof(n));
    for (uint16_t i = 0; i < n; i++) {
        memcpy(data + 4 + 8 * i, &adapters[i].id, 2);
        memcpy(data + 8 + 8 * i, &adapters[i].flags, 4);
    }
    return 0;
}

static int info(uint8_t *data)
{
    uint16_t id;

    memcpy(&id, data, sizeof(id));
    for (size_t i = 0; i < count; i++)
        if (adapters[i].id == id) {
            memset(data + 2, 0xff, 90);
            memcpy(data + 16, &adapters[i].flags, 4);
            data[20] = adapters[i].type;
            return 0;
        }
    errno = ENODEV;
    return -1;
}

int __wrap_ioctl(int fd, unsigned long request, void *data)
{
    assert_int_equal(fd, FD);
    if (request == 0x800448d2) /* HCIGETDEVLIST */
        return list(data);
    assert_int_equal(request, 0x800448d3); /* HCIGETDEVINFO */
    return info(data);
}

static int start(void **state)
{
    (void)state;
    count = 0;
    socket_error = list_error = 0;
    opened = closed = 0;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    return opened == closed ? 0 : -1;
}

static void add(uint16_t id, uint8_t bus, uint32_t flags)
{
    adapters[count++] = (struct adapter){.id = id, .type = bus, .flags = flags};
}

static void no_bluetooth_is_no_objection(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        socket_error = (const int[]){EAFNOSUPPORT, EPERM, EMFILE}[i];
        assert_int_equal(bluetooth_check("/dev/esps0", NULL), 0);
    }
    socket_error = 0;
    assert_int_equal(bluetooth_check("/dev/esps0", NULL), 0);
    list_error = EACCES;
    assert_int_equal(bluetooth_check("/dev/esps0", NULL), 0);
}

static void adapters_on_other_buses_or_down_do_not_matter(void **state)
{
    (void)state;
    for (uint8_t bus = 0; bus < 16; bus++)
        if (bus != SDIO && bus != SPI)
            add(bus, bus, UP);
    add(16, SDIO, DOWN);
    add(17, SPI, BUSY);
    assert_int_equal(bluetooth_check("/dev/esps0", NULL), 0);
}

static void one_that_is_up_on_the_bus_is_named_with_the_advice(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct hosted_fault fault;

        count = 0;
        add(0, USB, UP);
        add(2, (const uint8_t[]){SDIO, SPI}[i], UP | BUSY);
        assert_int_equal(bluetooth_check("/dev/esps0", &fault), -EBUSY);
        assert_int_equal(fault.status, HOSTED_BUSY);
        assert_string_equal(fault.text,
                            "/dev/esps0: hci2 is up: stop Bluetooth first (bluetoothctl "
                            "power off, or hciconfig hci2 down)");
        assert_int_equal(fault.hint, HOSTED_HINT_ALLOW_BLUETOOTH);
    }
}

/* Older kernels have the kind of adapter (BR/EDR 0, AMP 1) in the upper bits. */
static void the_bus_is_the_low_half_of_the_type(void **state)
{
    (void)state;
    add(0, SDIO | 0x10, UP);
    assert_int_equal(bluetooth_check("/dev/esps0", NULL), -EBUSY);
    count = 0;
    add(0, UART | 0x60, UP);
    assert_int_equal(bluetooth_check("/dev/esps0", NULL), 0);
}

static void more_adapters_than_there_is_room_for(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < 20; i++)
        add(i, USB, UP);
    assert_int_equal(bluetooth_check("/dev/esps0", NULL), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(no_bluetooth_is_no_objection),
        CASE(adapters_on_other_buses_or_down_do_not_matter),
        CASE(one_that_is_up_on_the_bus_is_named_with_the_advice),
        CASE(the_bus_is_the_low_half_of_the_type),
        CASE(more_adapters_than_there_is_room_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
