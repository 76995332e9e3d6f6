/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_KEPT_DIALECT_H
#define HOST_KEPT_DIALECT_H
/*
 * What the firmware behind a control device was found to speak, kept for one boot of the host.
 *
 * Only the answer that costs time to find is kept: ctrl, which is asked for after classic firmware
 * had its time to answer. A wrong answer would be worse than none, for a ctrl request makes classic
 * firmware panic; so an answer is about one node, not about a name, and whoever knows that the
 * firmware may have changed forgets it.
 *
 * `path` is the control device as the user named it, and may be a symbolic link.
 */
#include <stdbool.h>

/* Whether the device was found to speak ctrl, and is still the same node. */
bool kept_dialect_is_ctrl(const char *path);

/* A node as it is at one moment. Private to kept_dialect.c, here so that the caller can place it.
 */
struct kept_mark {
    char text[256];
};

/* To be taken before the question: what changes the firmware before its answer is kept outdates it.
 */
void kept_dialect_mark(const char *path, struct kept_mark *ret);

/* Best effort: where the host gives no place for it, the next one finds out for itself. */
void kept_dialect_keep_ctrl(const char *path, const struct kept_mark *mark);

/* Outdates what was kept. Works for whoever may write either to the kept answer or to the node. */
void kept_dialect_forget(const char *path);

#endif
