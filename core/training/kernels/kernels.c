/* What torch has no fast operation for, as plain C: compiled where it runs, for its processor, once for each type of number.

   MATRICES names a file with the matrices of minimal filtering, which core/training/winograd_tiles.py computes. */
#include "numbers.h"
#include MATRICES

typedef struct {
    number *pixels, *tiles; /* [count, height, width, channels]; [(m + 2)^2, rows, channels] */
    uint8_t *which;         /* where set, pixels are the greatest of every 2 x 2, and this says which of the four */
    block *scratch;         /* for sums over tiles that overlap; each thread has its own */
    long plane;             /* rows x channels */
    long count, height, width, channels, down, across;
} Tiles;

static inline void take(vector *best, bits *which, vector other, unsigned place) { /* not a number is greater than all, as torch has it */
    bits greater = (bits)((other > *best) | (other != other));
    *best = (vector)(((bits)other & greater) | ((bits)*best & ~greater));
    *which = (place & greater) | (*which & ~greater);
}

typedef uint8_t bytes __attribute__((vector_size(LANES)));

static inline void put_which(uint8_t *to, bits low, bits high, int lanes) {
    bytes both[2] = {__builtin_convertvector(low, bytes), __builtin_convertvector(high, bytes)};
    memcpy(to, both, lanes);
}

static inline void get_which(const uint8_t *from, bits *low, bits *high, int lanes) {
    bytes both[2] = {{0}, {0}};
    memcpy(both, from, lanes);
    *low = __builtin_convertvector(both[0], bits), *high = __builtin_convertvector(both[1], bits);
}

#define JOIN(name, m) name##m
#define M 2
#define NAME(name) JOIN(name, 2)
#include "tiles.h"
#undef M
#undef NAME
#define M 3
#define NAME(name) JOIN(name, 3)
#include "tiles.h"
#undef M
#undef NAME
#define M 4
#define NAME(name) JOIN(name, 4)
#include "tiles.h"

enum { IMAGES, OUTPUT, GRADIENT, IMAGES_BACK };

static const Body BODIES[3][4] = {
    {images2, output2, gradient2, images_back2},
    {images3, output3, gradient3, images_back3},
    {images4, output4, gradient4, images_back4},
};

int transform(int kind, int m, const Tiles *given, int threads) {
    Tiles task = *given;
    long items = task.count * task.down, blocks = (task.channels + BLOCK - 1) / BLOCK, rows = items * task.across;
    if (kind == IMAGES_BACK) {
        items = task.count * blocks;
        task.scratch = aligned_alloc(64, threads * (task.down * m + 2) * (task.across * m + 2) * sizeof(block));
        if (!task.scratch) return 1;
    }
    share_out(BODIES[m - 2][kind], &task, items, threads);
    if (kind == IMAGES_BACK) free(task.scratch);
    if (kind == IMAGES || kind == GRADIENT) /* rows that are there for their places in memory alone */
        for (int position = 0; position < (m + 2) * (m + 2); position++)
            memset(task.tiles + position * task.plane + rows * task.channels, 0, (task.plane - rows * task.channels) * sizeof(number));
    return 0;
}

typedef struct { float *sums; const number *more; long count; } Adding;

static void adding(const void *task, long first, long last, int thread) {
    const Adding *t = task;
    (void)thread;
    for (long i = first * BLOCK; i < last * BLOCK && i < t->count; i += BLOCK) {
        int lanes = fewer(t->count - i);
        block more = load(t->more + i, lanes), sum;
        memcpy(&sum, t->sums + i, lanes * sizeof(float));
        sum.low += more.low, sum.high += more.high;
        memcpy(t->sums + i, &sum, lanes * sizeof(float));
    }
}

void add(float *sums, const number *more, long count, int threads) {
    Adding task = {sums, more, count};
    share_out(adding, &task, (count + BLOCK - 1) / BLOCK, threads);
}

#include "norms.h"
