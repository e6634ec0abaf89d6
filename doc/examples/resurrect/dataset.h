/* The images: the four IDX files of Fashion-MNIST (or MNIST, or another set in that format), plain or
 * compressed with gzip, checked whole before anything is trained. */
#ifndef RESURRECT_DATASET_H
#define RESURRECT_DATASET_H

#include <stdint.h>

enum { CLASSES = 10 };

typedef struct image_set {
    int count;
    uint8_t *pixels;            /* count images, one after the other */
    uint8_t *labels;            /* count labels below CLASSES */
} image_set;

typedef struct dataset {
    int pixels;                 /* of one image */
    image_set train, test;
    float input[256];           /* what a pixel becomes at the network's input: (pixel - mean) / deviation,
                                   with the mean and standard deviation of all training pixels */
    double mean, deviation;     /* of pixels in [0, 255] */
} dataset;

/* Reads train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte,
 * each with or without .gz, from a directory. Fails with a message that names the file. */
dataset *dataset_load(const char *directory);
void dataset_free(dataset *data);

#endif
