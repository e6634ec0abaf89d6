/* See dataset.h. */
#define _POSIX_C_SOURCE 200809L
#include "dataset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "support.h"

typedef struct reader {
    gzFile file;
    char *path;
} reader;

/* gzopen reads plain files as they are. */
static reader reader_open(const char *directory, const char *name)
{
    reader in = {.path = format_text("%s/%s.gz", directory, name)};
    if (access(in.path, F_OK) != 0) {
        char *plain = format_text("%s/%s", directory, name);
        if (access(plain, F_OK) != 0)
            fail("cannot read %s: no such file, with or without .gz (Debian: the package "
                 "dataset-fashion-mnist; --data names another directory)",
                 plain);
        free(in.path);
        in.path = plain;
    }
    in.file = gzopen(in.path, "rb");
    if (!in.file)
        fail("cannot read %s", in.path);
    gzbuffer(in.file, 1 << 17);
    return in;
}

static void reader_get(reader *in, void *bytes, unsigned count)
{
    int got = gzread(in->file, bytes, count);
    if (got >= 0 && (unsigned)got == count)
        return;
    int code;
    const char *message = gzerror(in->file, &code);
    if (code != Z_OK && code != Z_BUF_ERROR)
        fail("damaged file: %s", message);      /* zlib's message begins with the path */
    fail("%s: truncated: %u bytes expected, %d found", in->path, count, got);
}

/* The checksum of a gzip file is only compared once its end has been read. */
static void reader_close(reader *in)
{
    char surplus;
    int got = gzread(in->file, &surplus, 1);
    if (got > 0)
        fail("%s: bytes follow the last expected one", in->path);
    if (got < 0 || gzclose(in->file) != Z_OK)
        fail("%s: damaged: its end does not match its checksum", in->path);
    free(in->path);
}

static uint32_t reader_number(reader *in)
{
    uint8_t bytes[4];
    reader_get(in, bytes, sizeof bytes);
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void reader_expect_magic(reader *in, uint32_t magic)
{
    uint32_t found = reader_number(in);
    if (found != magic)
        fail("%s: the first four bytes are 0x%08x, expected 0x%08x", in->path, (unsigned)found, (unsigned)magic);
}

/* Limits far above any real set of images keep every product within int. */
static int reader_extent(reader *in, const char *what, uint32_t most)
{
    uint32_t found = reader_number(in);
    if (found < 1 || found > most)
        fail("%s: %u %s, expected 1 to %u", in->path, (unsigned)found, what, (unsigned)most);
    return (int)found;
}

static image_set load_set(const char *directory, const char *prefix, int *pixels)
{
    image_set set;
    char *name = format_text("%s-images-idx3-ubyte", prefix);
    reader in = reader_open(directory, name);
    reader_expect_magic(&in, 0x803);
    set.count = reader_extent(&in, "images", 1000000);
    int rows = reader_extent(&in, "rows", 1024);
    *pixels = rows * reader_extent(&in, "columns", 1024);
    if ((int64_t)set.count * *pixels > INT32_MAX)
        fail("%s: %d images of %d pixels are more than this program reads", in.path, set.count, *pixels);
    set.pixels = allocate((size_t)set.count, (size_t)*pixels);
    reader_get(&in, set.pixels, (unsigned)set.count * (unsigned)*pixels);
    reader_close(&in);
    free(name);

    name = format_text("%s-labels-idx1-ubyte", prefix);
    in = reader_open(directory, name);
    reader_expect_magic(&in, 0x801);
    int labels = reader_extent(&in, "labels", 1000000);
    if (labels != set.count)
        fail("%s: %d labels, expected %d, one for each image", in.path, labels, set.count);
    set.labels = allocate((size_t)set.count, 1);
    reader_get(&in, set.labels, (unsigned)set.count);
    for (int i = 0; i < set.count; i++)
        if (set.labels[i] >= CLASSES)
            fail("%s: label %d is %d, expected 0 to %d", in.path, i, set.labels[i], CLASSES - 1);
    reader_close(&in);
    free(name);
    return set;
}

static void normalise(dataset *data)
{
    int64_t histogram[256] = {0};
    size_t total = (size_t)data->train.count * (size_t)data->pixels;
    for (size_t i = 0; i < total; i++)
        histogram[data->train.pixels[i]]++;
    double sum = 0, squares = 0;
    for (int value = 0; value < 256; value++) {
        sum += (double)histogram[value] * value;
        squares += (double)histogram[value] * value * value;
    }
    data->mean = sum / (double)total;
    data->deviation = sqrt(squares / (double)total - data->mean * data->mean);
    if (!(data->deviation > 0))
        fail("the training images are all of one colour");
    for (int value = 0; value < 256; value++)
        data->input[value] = (float)((value - data->mean) / data->deviation);
}

dataset *dataset_load(const char *directory)
{
    dataset *data = allocate(1, sizeof *data);
    int test_pixels;
    data->train = load_set(directory, "train", &data->pixels);
    data->test = load_set(directory, "t10k", &test_pixels);
    if (test_pixels != data->pixels)
        fail("%s: test images have %d pixels, training images %d", directory, test_pixels, data->pixels);
    normalise(data);
    return data;
}

void dataset_free(dataset *data)
{
    free(data->train.pixels);
    free(data->train.labels);
    free(data->test.pixels);
    free(data->test.labels);
    free(data);
}
