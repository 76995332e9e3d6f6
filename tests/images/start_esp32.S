/* SPDX-License-Identifier: Apache-2.0 */
/* The boot loader enters by call8: windows and interrupts off first, for code of the call0 ABI. */
    .section .iram0.text, "ax"
    .literal_position
    .global start
    .align 4
start:
    movi    a2, 0x0f
    wsr     a2, ps
    rsync
    movi    sp, stack_top
    call0   run
