/* A wall clock that a test throws: the system's, and so many seconds more as stand in a file that
 * the test holds too. Every other clock, and every wait, is the system's. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const _Atomic int64_t *thrown;

__attribute__((constructor)) static void open_the_file(void)
{
    const char *path = getenv("THROWN_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *map = mmap(NULL, sizeof *thrown, PROT_READ, MAP_SHARED, file, 0);
    /* A program whose clock cannot be thrown would pass every test. */
    if (map == MAP_FAILED)
        abort();
    close(file);
    thrown = map;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int failed = (int)syscall(SYS_clock_gettime, clock, now);
    if (!failed && thrown && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += *thrown;
    return failed;
}

time_t time(time_t *now)
{
    struct timespec full;
    clock_gettime(CLOCK_REALTIME, &full);
    if (now)
        *now = full.tv_sec;
    return full.tv_sec;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec full;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &full);
    now->tv_sec = full.tv_sec;
    now->tv_usec = full.tv_nsec / 1000;
    return 0;
}
