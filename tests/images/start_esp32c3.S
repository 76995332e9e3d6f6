/* SPDX-License-Identifier: Apache-2.0 */
    .section .iram0.text, "ax"
    .global start
start:
    la      sp, stack_top
    j       run
