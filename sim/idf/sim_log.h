/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_LOG_H
#define SIM_LOG_H
#include <stdbool.h>

/* Whether the chip's console goes to standard error; it is lost otherwise. */
void sim_log_enable(bool verbose);

#endif
