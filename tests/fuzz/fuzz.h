/*
 * What the fuzz targets share. A target is a function of any bytes (LLVMFuzzerTestOneInput) that
 * takes them apart, hands them to the code it is about, and says with EXPECT what must hold
 * whatever they were.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include "../../src/core/arena.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What must hold. If it does not, libFuzzer keeps the input, as of any crash. */
#define EXPECT(condition)                                                                          \
    ((condition) ? (void)0 : fuzz_failed(#condition, __func__, __FILE__, __LINE__))

_Noreturn void fuzz_failed(const char *condition, const char *function, const char *file, int line);

/* What is left of an input. */
typedef struct {
    const uint8_t *p;
    size_t len;
} fuzz_input;

/* The next byte, 0 behind the end. */
uint8_t fuzz_byte(fuzz_input *in);

/* The next number of two bytes. */
uint16_t fuzz_short(fuzz_input *in);

/*
 * The text up to the next `separator`, which is taken with it, or to the end: a copy in memory of
 * exactly its size, so that reading beyond it is noticed. It lives until fuzz_forget.
 */
ms_slice fuzz_text(fuzz_input *in, char separator);

/* All that is left, likewise. */
ms_slice fuzz_rest(fuzz_input *in);

/* Likewise a copy of `text`; and one that a NUL byte ends, up to its own first one. */
ms_slice fuzz_copy(ms_slice text);
char *fuzz_string(ms_slice text);

/* Memory of exactly this size, not cleared; it lives until fuzz_forget. */
void *fuzz_memory(size_t size);
ms_arena fuzz_arena(size_t size);

/* Frees all of that: for the end of a target. */
void fuzz_forget(void);

/* An arena of 8 MB that is there once, for what needs much; whoever asks last has it. */
ms_arena fuzz_large_arena(void);

#endif
