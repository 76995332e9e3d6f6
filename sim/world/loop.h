/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_LOOP_H
#define SIM_LOOP_H
#include "program.h"

/*
 * The main loop of one life of the chip: bus, control socket, TAPs, timers. Returns when the
 * simulator is to end; a reset leaves it by exec. `program` is NULL when nothing runs on the chip:
 * frames then get lost.
 */
void loop_run(const struct program *program);

#endif
