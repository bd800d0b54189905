/* Vectors of 32 numbers, loaded from memory in its type and computed with in float, and loops that are shared out over threads. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef __AVX512BW__
#include <immintrin.h>
#endif

#define LANES 16 /* numbers of a vector */
#define BLOCK 32 /* numbers that are taken at a time: two vectors */

typedef float vector __attribute__((vector_size(4 * LANES)));
typedef uint32_t bits __attribute__((vector_size(4 * LANES)));
typedef struct { vector low, high; } block;

#ifdef BFLOAT16
typedef uint16_t number;
typedef uint16_t half_bits __attribute__((vector_size(2 * LANES)));
#else
typedef float number;
#endif

static inline int fewer(long left) { return left < BLOCK ? (int)left : BLOCK; }

#if defined(BFLOAT16) && defined(__AVX512BF16__) && defined(__AVX512BW__)

static inline block widened(__m512i both) {
    return (block){
        (vector)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_castsi512_si256(both)), 16),
        (vector)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(both, 1)), 16),
    };
}

static inline block load(const number *from, int count) {
    if (count == BLOCK) return widened(_mm512_loadu_si512(from));
    return widened(_mm512_maskz_loadu_epi16((1u << count) - 1, from));
}

static inline void store(number *to, block value, int count) {
    __m512i both = (__m512i)_mm512_cvtne2ps_pbh((__m512)value.high, (__m512)value.low);
    if (count == BLOCK) _mm512_storeu_si512(to, both);
    else _mm512_mask_storeu_epi16(to, (1u << count) - 1, both);
}

#else

#ifdef BFLOAT16

static inline vector widened(const number *from) {
    half_bits narrow;
    memcpy(&narrow, from, sizeof narrow);
    return (vector)(__builtin_convertvector(narrow, bits) << 16);
}

static inline void narrowed(number *to, vector value) { /* to the nearest, halfway to the even one; not a number stays that */
    bits raw = (bits)value, ordered = (bits)(value == value);
    raw = (raw + 0x7fff + ((raw >> 16) & 1)) >> 16;
    half_bits narrow = __builtin_convertvector((raw & ordered) | (0x7fc0 & ~ordered), half_bits);
    memcpy(to, &narrow, sizeof narrow);
}

#else

static inline vector widened(const number *from) {
    vector value;
    memcpy(&value, from, sizeof value);
    return value;
}

static inline void narrowed(number *to, vector value) { memcpy(to, &value, sizeof value); }

#endif

static inline block load(const number *from, int count) {
    number few[BLOCK] = {0};
    if (count < BLOCK) from = memcpy(few, from, count * sizeof(number));
    return (block){widened(from), widened(from + LANES)};
}

static inline void store(number *to, block value, int count) {
    number few[BLOCK], *where = count < BLOCK ? few : to;
    narrowed(where, value.low);
    narrowed(where + LANES, value.high);
    if (count < BLOCK) memcpy(to, few, count * sizeof(number));
}

#endif

/* Threads are those of the OpenMP library that torch has loaded: a second library would bring a second team of them. */

typedef void (*Parallel)(void (*)(void *), void *, unsigned threads, unsigned flags);
typedef void (*Body)(const void *task, long first, long last, int thread);
typedef struct { Body body; const void *task; long count; int threads; } Share;

static Parallel parallel;
static int (*thread_number)(void), (*thread_count)(void);

void connect(Parallel with_parallel, int (*with_thread_number)(void), int (*with_thread_count)(void)) {
    parallel = with_parallel;
    thread_number = with_thread_number;
    thread_count = with_thread_count;
}

static void one_share(void *data) {
    const Share *share = data;
    int thread = thread_number(), threads = thread_count(); /* a limit may leave fewer than were asked for */
    share->body(share->task, share->count * thread / threads, share->count * (thread + 1) / threads, thread);
}

static void share_out(Body body, const void *task, long count, int threads) {
    Share share = {body, task, count, threads};
    if (threads > 1) parallel(one_share, &share, threads, 0);
    else body(task, 0, count, 0);
}

typedef void (*Call)(int number);
typedef struct { Call call; int count; } Calls;

static void one_call(void *data) {
    const Calls *calls = data;
    for (int number = thread_number(); number < calls->count; number += thread_count()) calls->call(number);
}

void together(Call call, int count) {
    Calls calls = {call, count};
    parallel(one_call, &calls, count, 0);
}
