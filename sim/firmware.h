/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_FIRMWARE_H
#define SIM_FIRMWARE_H
#include "world/program.h"

/* Our own firmware: its components, wired to the simulator as main/ wires them on a chip. */
extern const struct program firmware_program;

#endif
