/* A clock fine enough to time a request by; struct env counts milliseconds. */
#ifndef BENCH_WORLD_CLOCK_H
#define BENCH_WORLD_CLOCK_H

#include <stdint.h>

int64_t clock_mono_us(void);

/* Processor time of the calling thread, and of the whole process. */
int64_t clock_thread_us(void);
int64_t clock_process_us(void);

#endif
