/* The transforms of minimal filtering for tiles of M x M pixels, with DATA and OUTPUT, the matrices of one dimension. N is M + 2.

   Images are [count, height, width, channels]; tiles of them [N x N, rows, channels], one plane for each of the N x N positions.
   What lies beyond an image counts as zero. */

#define N (M + 2)

typedef vector NAME(Square)[2][N][N];

/* A matrix times a vector of vectors: unrolled, so that zeros cost nothing. */
#define PRODUCT(name, rows, columns, entry)                                    \
    static inline void NAME(name)(const vector *from, vector *to, int step) {  \
        _Pragma("GCC unroll 8") for (int i = 0; i < rows; i++) {               \
            vector sum = {0};                                                  \
            _Pragma("GCC unroll 8") for (int j = 0; j < columns; j++)          \
                if (entry != 0) sum += entry * from[j];                        \
            to[i * step] = sum;                                                \
        }                                                                      \
    }

PRODUCT(by_data, N, N, NAME(DATA)[i][j])
PRODUCT(by_data_back, N, N, NAME(DATA)[j][i])
PRODUCT(by_output, M, N, NAME(OUTPUT)[i][j])
PRODUCT(by_output_back, N, M, NAME(OUTPUT)[j][i])

/* One tile's row of positions, and its column, of both vectors of a block. */
static inline void NAME(put_row)(const Tiles *t, number *to, int row, const vector *low, const vector *high, int lanes) {
#pragma GCC unroll 8
    for (int j = 0; j < N; j++) {
        store(to + (row * N + j) * t->plane, (block){low[j], high[j]}, lanes);
    }
}

static inline void NAME(get_column)(const Tiles *t, const number *from, int column, vector *low, vector *high, int lanes) {
    for (int y = 0; y < N; y++) {
        block value = load(from + (y * N + column) * t->plane, lanes);
        low[y] = value.low, high[y] = value.high;
    }
}

static void NAME(images)(const void *task, long first, long last, int thread) {
    const Tiles *t = task;
    (void)thread;
    for (long item = first; item < last; item++) {
        long image = item / t->down, top = item % t->down * M - 1;
        for (long across = 0; across < t->across; across++) {
            long left = across * M - 1;
            for (long c = 0; c < t->channels; c += BLOCK) {
                int lanes = fewer(t->channels - c);
                NAME(Square) columns;
                for (int x = 0; x < N; x++) {
                    vector low[N], high[N];
                    for (int y = 0; y < N; y++) {
                        block pixel = {{0}, {0}};
                        if (top + y >= 0 && top + y < t->height && left + x >= 0 && left + x < t->width) {
                            const number *at = t->pixels + ((image * t->height + top + y) * t->width + left + x) * t->channels + c;
                            pixel = load(at, lanes);
                            if (x >= 2) __builtin_prefetch(at + M * t->channels);
                        }
                        low[y] = pixel.low, high[y] = pixel.high;
                    }
                    NAME(by_data)(low, &columns[0][0][x], N);
                    NAME(by_data)(high, &columns[1][0][x], N);
                }
                number *to = t->tiles + (item * t->across + across) * t->channels + c;
                for (int row = 0; row < N; row++) {
                    vector low[N], high[N];
                    NAME(by_data)(columns[0][row], low, 1);
                    NAME(by_data)(columns[1][row], high, 1);
                    NAME(put_row)(t, to, row, low, high, lanes);
                }
            }
        }
    }
}

/* Tiles of outputs into images, or into the greatest of every 2 x 2 pixels and which of the four that was. */
static void NAME(output)(const void *task, long first, long last, int thread) {
    const Tiles *t = task;
    (void)thread;
    for (long item = first; item < last; item++) {
        long image = item / t->down, top = item % t->down * M;
        for (long across = 0; across < t->across; across++) {
            long left = across * M;
            for (long c = 0; c < t->channels; c += BLOCK) {
                int lanes = fewer(t->channels - c);
                const number *from = t->tiles + (item * t->across + across) * t->channels + c;
                NAME(Square) columns, tile;
                for (int x = 0; x < N; x++) {
                    vector low[N], high[N];
                    NAME(get_column)(t, from, x, low, high, lanes);
                    NAME(by_output)(low, &columns[0][0][x], N);
                    NAME(by_output)(high, &columns[1][0][x], N);
                }
                for (int row = 0; row < M; row++) {
                    NAME(by_output)(columns[0][row], tile[0][row], 1);
                    NAME(by_output)(columns[1][row], tile[1][row], 1);
                }
                if (t->which) {
#if M % 2 == 0
                    for (int y = 0; y < M && top + y + 1 < t->height; y += 2)
                        for (int x = 0; x < M && left + x + 1 < t->width; x += 2) {
                            long at = ((image * (t->height / 2) + (top + y) / 2) * (t->width / 2) + (left + x) / 2) * t->channels + c;
                            block best = {tile[0][y][x], tile[1][y][x]};
                            bits low = {0}, high = {0};
                            take(&best.low, &low, tile[0][y][x + 1], 1);
                            take(&best.high, &high, tile[1][y][x + 1], 1);
                            take(&best.low, &low, tile[0][y + 1][x], 2);
                            take(&best.high, &high, tile[1][y + 1][x], 2);
                            take(&best.low, &low, tile[0][y + 1][x + 1], 3);
                            take(&best.high, &high, tile[1][y + 1][x + 1], 3);
                            __builtin_prefetch(t->pixels + at + M / 2 * t->channels, 1);
                            __builtin_prefetch(t->which + at + M / 2 * t->channels, 1);
                            store(t->pixels + at, best, lanes);
                            put_which(t->which + at, low, high, lanes);
                        }
#endif
                    continue;
                }
                for (int y = 0; y < M && top + y < t->height; y++)
                    for (int x = 0; x < M && left + x < t->width; x++)
                        store(t->pixels + ((image * t->height + top + y) * t->width + left + x) * t->channels + c,
                              (block){tile[0][y][x], tile[1][y][x]}, lanes);
            }
        }
    }
}

/* The gradient of the outputs, or of what pooling left of them, into tiles. */
static void NAME(gradient)(const void *task, long first, long last, int thread) {
    const Tiles *t = task;
    (void)thread;
    for (long item = first; item < last; item++) {
        long image = item / t->down, top = item % t->down * M;
        for (long across = 0; across < t->across; across++) {
            long left = across * M;
            for (long c = 0; c < t->channels; c += BLOCK) {
                int lanes = fewer(t->channels - c);
                vector tile[2][M][M], columns[2][N][M];
                memset(tile, 0, sizeof tile);
                if (t->which) {
#if M % 2 == 0
                    for (int y = 0; y < M && top + y + 1 < t->height; y += 2)
                        for (int x = 0; x < M && left + x + 1 < t->width; x += 2) {
                            long at = ((image * (t->height / 2) + (top + y) / 2) * (t->width / 2) + (left + x) / 2) * t->channels + c;
                            block value = load(t->pixels + at, lanes);
                            __builtin_prefetch(t->pixels + at + M / 2 * t->channels);
                            __builtin_prefetch(t->which + at + M / 2 * t->channels);
                            bits low, high;
                            get_which(t->which + at, &low, &high, lanes);
                            for (unsigned place = 0; place < 4; place++) {
                                tile[0][y + place / 2][x + place % 2] = (vector)((bits)value.low & (bits)(low == place));
                                tile[1][y + place / 2][x + place % 2] = (vector)((bits)value.high & (bits)(high == place));
                            }
                        }
#endif
                } else
                    for (int y = 0; y < M && top + y < t->height; y++)
                        for (int x = 0; x < M && left + x < t->width; x++) {
                            const number *at = t->pixels + ((image * t->height + top + y) * t->width + left + x) * t->channels + c;
                            block value = load(at, lanes);
                            __builtin_prefetch(at + M * t->channels);
                            tile[0][y][x] = value.low, tile[1][y][x] = value.high;
                        }
                for (int x = 0; x < M; x++) {
                    vector low[M], high[M];
                    for (int y = 0; y < M; y++) low[y] = tile[0][y][x], high[y] = tile[1][y][x];
                    NAME(by_output_back)(low, &columns[0][0][x], M);
                    NAME(by_output_back)(high, &columns[1][0][x], M);
                }
                number *to = t->tiles + (item * t->across + across) * t->channels + c;
                for (int row = 0; row < N; row++) {
                    vector low[N], high[N];
                    NAME(by_output_back)(columns[0][row], low, 1);
                    NAME(by_output_back)(columns[1][row], high, 1);
                    NAME(put_row)(t, to, row, low, high, lanes);
                }
            }
        }
    }
}

/* The gradient of transformed images into that of the images: tiles overlap by two pixels, and add up. An item is a block of
   channels of one image. */
static void NAME(images_back)(const void *task, long first, long last, int thread) {
    const Tiles *t = task;
    long wide = t->across * M + 2, blocks = (t->channels + BLOCK - 1) / BLOCK;
    block *sums = t->scratch + thread * (t->down * M + 2) * wide;
    for (long item = first; item < last; item++) {
        long image = item / blocks, c = item % blocks * BLOCK;
        int lanes = fewer(t->channels - c);
        memset(sums, 0, (t->down * M + 2) * wide * sizeof(block));
        for (long down = 0; down < t->down; down++)
            for (long across = 0; across < t->across; across++) {
                const number *from = t->tiles + ((image * t->down + down) * t->across + across) * t->channels + c;
                NAME(Square) columns;
                for (int x = 0; x < N; x++) {
                    vector low[N], high[N];
                    NAME(get_column)(t, from, x, low, high, lanes);
                    NAME(by_data_back)(low, &columns[0][0][x], N);
                    NAME(by_data_back)(high, &columns[1][0][x], N);
                }
                for (int y = 0; y < N; y++) {
                    vector low[N], high[N];
                    block *row = sums + (down * M + y) * wide + across * M;
                    NAME(by_data_back)(columns[0][y], low, 1);
                    NAME(by_data_back)(columns[1][y], high, 1);
                    for (int x = 0; x < N; x++) row[x].low += low[x], row[x].high += high[x];
                }
            }
        for (long y = 0; y < t->height; y++)
            for (long x = 0; x < t->width; x++)
                store(t->pixels + ((image * t->height + y) * t->width + x) * t->channels + c, sums[(y + 1) * wide + x + 1], lanes);
    }
}

#undef N
#undef PRODUCT
