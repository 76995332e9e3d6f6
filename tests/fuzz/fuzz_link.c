/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz_link.h"

#include <errno.h>
#include <string.h>

#include "kept_dialect.h"
#include "serial_tlv.h"

enum {
    GONE = 0xffff,
    LENGTH_MASK = 0x1fff,
    ALREADY_THERE = 0x8000,
};

/* Who says nothing for so long is no classic firmware (docs/architecture.md). */
#define CLASSIC_SILENCE_MS 4600

static int64_t s_now_ms;

void fuzz_clock_reset(void)
{
    s_now_ms = 1000;
}

/* In the place of the library's own, which read the host's clock and its files. */

int64_t clock_ms(void)
{
    return s_now_ms;
}

int clock_wait(const struct hosted_cancel *cancel, int64_t deadline_ms)
{
    (void)cancel;
    if (deadline_ms > s_now_ms)
        s_now_ms = deadline_ms;
    return -ETIMEDOUT;
}

uint32_t random_number(void)
{
    return 0; /* the first request is number 1 */
}

bool kept_dialect_is_ctrl(const char *path)
{
    (void)path;
    return false;
}

void kept_dialect_mark(const char *path, struct kept_mark *ret)
{
    (void)path;
    *ret = (struct kept_mark){0};
}

void kept_dialect_keep_ctrl(const char *path, const struct kept_mark *mark)
{
    (void)path;
    (void)mark;
}

void kept_dialect_forget(const char *path)
{
    (void)path;
}

/* What we send is well-formed, whatever we were told. */
static int take_request(struct link *base, const void *message, size_t len, int64_t deadline_ms)
{
    struct fuzz_link *link = (struct fuzz_link *)base;
    struct serial_tlv tlv;

    REQUIRE(deadline_ms > s_now_ms);
    REQUIRE(len <= SERIAL_TLV_MAX_BYTES && serial_tlv_parse(message, len, &tlv) == (int)len);
    if (link->asked_ms == 0)
        link->asked_ms = s_now_ms;
    if (link->careful && memcmp(tlv.endpoint, "control", strlen("control")) != 0)
        REQUIRE(link->named || s_now_ms - link->asked_ms >= CLASSIC_SILENCE_MS);
    return 0;
}

/* The beginnings of "ctrlResp", "ctrlEvnt", "RPCRsp", "RPCEvt", however they are cut. */
static void look_for_names(struct fuzz_link *link)
{
    for (size_t i = 0; i < link->left; i++) {
        link->last = link->last << 8 | link->next[i];
        link->named |= link->last == 0x6374726c || (link->last & 0xffffff) == 0x525043;
    }
}

/* 0, or -ENODEV. */
static int begin_segment(struct fuzz_link *link)
{
    const uint16_t head = fuzz_take_le16(link->input);
    const size_t len = head & LENGTH_MASK;

    if (head == GONE)
        return -ENODEV;
    link->next = link->input->next;
    link->left = len < link->input->left ? len : link->input->left;
    if (link->left > 0)
        link->input->next += link->left;
    link->input->left -= link->left;
    look_for_names(link);
    return 0;
}

static size_t give(struct fuzz_link *link, void *buf, size_t size)
{
    size_t len = link->left < size ? link->left : size;

    if (link->piece > 0 && len > link->piece)
        len = link->piece;
    if (len == 0)
        return 0;
    memcpy(buf, link->next, len);
    link->next += len;
    link->left -= len;
    link->given += len;
    return len;
}

static ssize_t receive(struct link *base, void *buf, size_t size, int64_t deadline_ms,
                       const struct hosted_cancel *cancel)
{
    struct fuzz_link *link = (struct fuzz_link *)base;
    int err = 0;

    REQUIRE(size > 0);
    REQUIRE(deadline_ms > s_now_ms); /* a wait that is over is not begun again */
    if (link->left == 0)
        err = begin_segment(link);
    if (err < 0)
        return err;
    if (link->left == 0)
        return clock_wait(cancel, deadline_ms);
    return (ssize_t)give(link, buf, size);
}

static ssize_t take(struct link *base, void *buf, size_t size)
{
    struct fuzz_link *link = (struct fuzz_link *)base;
    const struct fuzz_input *input = link->input;
    int err = 0;

    REQUIRE(size > 0);
    if (link->left == 0 && input->left >= 2 && (input->next[1] & (ALREADY_THERE >> 8)) != 0)
        err = begin_segment(link);
    return err < 0 ? err : (ssize_t)give(link, buf, size);
}

static void close_link(struct link *base)
{
    (void)base;
}

void fuzz_link_init(struct fuzz_link *link, struct fuzz_input *input, size_t piece)
{
    static const struct link_ops ops = {
        .send = take_request,
        .receive = receive,
        .take = take,
        .close = close_link,
    };

    *link = (struct fuzz_link){.link = {.ops = &ops}, .input = input, .piece = piece};
}
