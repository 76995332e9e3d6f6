/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_SHUTDOWN_H
#define SIM_SHUTDOWN_H

/* What esp_restart() does before the reset: for whoever stands in its place. */
void sim_run_shutdown_handlers(void);

#endif
