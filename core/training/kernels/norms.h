/* Batch norm with its activation, of pixels [rows, channels]. */

enum { NO_GRADIENT = -1, IDENTITY, RELU, SILU };

typedef struct {
    const number *pixels, *gradient; /* of what follows the activation, or in the last pass of what is before it */
    const number *plus;              /* where set, added before the activation */
    number *passed;                  /* where the gradient before the activation goes as its sums are made */
    number *to;                      /* may be the gradient */
    const float *mean, *scale, *shift; /* [channels]: the normalised pixel is scale x pixel + shift */
    const float *even, *tilt;          /* [channels]: what the gradient loses as its sums pass through mean and deviation */
    double *sums;                      /* [threads, 2, channels] */
    long rows, channels;
    int activation;
} Norm;

#define MOST_CHANNELS 4096 /* whose sums lie on the stack */
#define ROWS_IN_FLOAT 32   /* after which sums go on in double */

static inline vector exponential(vector x) { /* to about 1e-7 of it, by a polynomial between the powers of two */
    const vector low = (vector){0} - 87.f, high = (vector){0} + 88.f, magic = (vector){0} + 12582912.f;
    bits below = (bits)(x < low), above = (bits)(x > high);
    x = (vector)(((bits)x & ~below & ~above) | ((bits)low & below) | ((bits)high & above));
    vector whole = (x * 1.44269504f + magic) - magic, rest = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
    vector sum = (vector){0} + 1.f / 720;
    sum = sum * rest + 1.f / 120;
    sum = sum * rest + 1.f / 24;
    sum = sum * rest + 1.f / 6;
    sum = sum * rest + 0.5f;
    sum = sum * rest + 1.f;
    sum = sum * rest + 1.f;
    typedef int32_t integers __attribute__((vector_size(4 * LANES)));
    return sum * (vector)((__builtin_convertvector(whole, integers) + 127) << 23);
}

static inline vector activated(int activation, vector x) {
    if (activation == SILU) return x / (1.f + exponential(-x));
    if (activation == RELU) return (vector)((bits)x & (bits)((x > 0.f) | (x != x)));
    return x;
}

static inline vector slope(int activation, vector x) {
    if (activation == SILU) {
        vector share = 1.f / (1.f + exponential(-x));
        return share * (1.f + x * (1.f - share));
    }
    if (activation == RELU) return (vector)((bits)((vector){0} + 1.f) & (bits)(x > 0.f));
    return (vector){0} + 1.f;
}

static inline block numbers(const float *from, int lanes) {
    block value = {{0}, {0}};
    memcpy(&value, from, lanes * sizeof(float));
    return value;
}

static inline void more(block *value, const number *plus, int lanes) {
    block added = load(plus, lanes);
    value->low += added.low, value->high += added.high;
}

static inline void into_double(double *sums, float *from, long channels) {
    for (long c = 0; c < channels; c++) sums[c] += from[c], from[c] = 0;
}

static inline __attribute__((always_inline)) void forward_as(const Norm *t, long first, long last, int activation) {
    for (long row = first; row < last; row++)
        for (long c = 0; c < t->channels; c += BLOCK) {
            int lanes = fewer(t->channels - c);
            block value = load(t->pixels + row * t->channels + c, lanes);
            block scale = numbers(t->scale + c, lanes), shift = numbers(t->shift + c, lanes);
            value.low = value.low * scale.low + shift.low, value.high = value.high * scale.high + shift.high;
            if (t->plus) more(&value, t->plus + row * t->channels + c, lanes);
            value.low = activated(activation, value.low), value.high = activated(activation, value.high);
            store(t->to + row * t->channels + c, value, lanes);
        }
}

static void norm_forward(const void *task, long first, long last, int thread) {
    const Norm *t = task;
    (void)thread;
    if (t->activation == SILU) forward_as(t, first, last, SILU);
    else if (t->activation == RELU) forward_as(t, first, last, RELU);
    else forward_as(t, first, last, IDENTITY);
}

/* The gradient before the activation, and the pixel less the mean. */
static inline __attribute__((always_inline)) void
before(const Norm *t, long at, long c, int lanes, int activation, block *gradient, block *pixel) {
    block mean = numbers(t->mean + c, lanes), scale = numbers(t->scale + c, lanes), shift = numbers(t->shift + c, lanes);
    *pixel = load(t->pixels + at, lanes);
    *gradient = load(t->gradient + at, lanes);
    block value = {pixel->low * scale.low + shift.low, pixel->high * scale.high + shift.high};
    if (t->plus) more(&value, t->plus + at, lanes);
    gradient->low *= slope(activation, value.low), gradient->high *= slope(activation, value.high);
    pixel->low -= mean.low, pixel->high -= mean.high;
}

/* Sums of the gradient before the activation, and of its product with the pixels less their mean; or of the pixels less some
   number near their mean, and of the squares of that. */
static inline __attribute__((always_inline)) void sums_as(const Norm *t, long first, long last, int thread, int activation) {
    double *sums = t->sums + thread * 2 * t->channels;
    float sum[MOST_CHANNELS + BLOCK] = {0}, products[MOST_CHANNELS + BLOCK] = {0};
    for (long start = first; start < last; start += ROWS_IN_FLOAT) {
        for (long row = start; row < last && row < start + ROWS_IN_FLOAT; row++)
            for (long c = 0; c < t->channels; c += BLOCK) {
                int lanes = fewer(t->channels - c);
                block gradient, pixel;
                if (activation == NO_GRADIENT) {
                    block base = numbers(t->mean + c, lanes);
                    pixel = load(t->pixels + row * t->channels + c, lanes);
                    pixel.low -= base.low, pixel.high -= base.high;
                    gradient = pixel;
                } else {
                    before(t, row * t->channels + c, c, lanes, activation, &gradient, &pixel);
                    store(t->passed + row * t->channels + c, gradient, lanes);
                    gradient = load(t->passed + row * t->channels + c, lanes); /* sums of what is there, rounded, or they miss it */
                }
                block one = numbers(sum + c, BLOCK), two = numbers(products + c, BLOCK);
                one.low += gradient.low, one.high += gradient.high;
                two.low += gradient.low * pixel.low, two.high += gradient.high * pixel.high;
                memcpy(sum + c, &one, sizeof one);
                memcpy(products + c, &two, sizeof two);
            }
        into_double(sums, sum, t->channels);
        into_double(sums + t->channels, products, t->channels);
    }
}

static void norm_sums(const void *task, long first, long last, int thread) { sums_as(task, first, last, thread, NO_GRADIENT); }

static void norm_sums_back(const void *task, long first, long last, int thread) {
    const Norm *t = task;
    if (t->activation == SILU) sums_as(t, first, last, thread, SILU);
    else if (t->activation == RELU) sums_as(t, first, last, thread, RELU);
    else sums_as(t, first, last, thread, IDENTITY);
}

static void norm_back(const void *task, long first, long last, int thread) {
    const Norm *t = task;
    (void)thread;
    for (long row = first; row < last; row++)
        for (long c = 0; c < t->channels; c += BLOCK) {
            int lanes = fewer(t->channels - c);
            block pixel = load(t->pixels + row * t->channels + c, lanes), gradient = load(t->gradient + row * t->channels + c, lanes);
            block mean = numbers(t->mean + c, lanes), scale = numbers(t->scale + c, lanes);
            block even = numbers(t->even + c, lanes), tilt = numbers(t->tilt + c, lanes);
            gradient.low = scale.low * (gradient.low - even.low - (pixel.low - mean.low) * tilt.low);
            gradient.high = scale.high * (gradient.high - even.high - (pixel.high - mean.high) * tilt.high);
            store(t->to + row * t->channels + c, gradient, lanes);
        }
}

void norm(int kind, const Norm *given, int threads) {
    static const Body bodies[] = {norm_sums, norm_forward, norm_sums_back, norm_back};
    share_out(bodies[kind], given, given->rows, threads);
}
