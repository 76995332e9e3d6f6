/* SPDX-License-Identifier: Apache-2.0 */
#include "channel.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

struct shared shared;

int channel_open(int memfd, uint32_t flash_bytes)
{
    const size_t bytes =
        flash_bytes + WORLD_RTC_BYTES + FRAMES_BYTES + REPLIES_BYTES + sizeof(struct faults);
    uint8_t *const at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);

    if (at == MAP_FAILED)
        return -errno;
    shared.flash = at;
    shared.rtc = at + flash_bytes;
    shared.frames = shared.rtc + WORLD_RTC_BYTES;
    shared.replies = shared.frames + FRAMES_BYTES;
    shared.faults = (struct faults *)(void *)(shared.replies + REPLIES_BYTES);
    return 0;
}

/* A command and an answer are shorter than what a pipe takes and gives at once. */
bool channel_next(struct command *ret)
{
    ssize_t n;

    do
        n = read(STDIN_FILENO, ret, sizeof(*ret));
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof(*ret);
}

void channel_answer(const struct answer *answer)
{
    if (write(STDOUT_FILENO, answer, sizeof(*answer)) != (ssize_t)sizeof(*answer))
        _exit(1); /* whoever drives us is gone */
}
