/* A program that has DLPack's structs, and no sugar_tensor, hands them over by a pointer cast. Built with -O3 -flto,
 * together with the static library, it sees into the library, which must still read what was written last. */
#include <stdio.h>

#include <sugar/sugar.h>

typedef struct DLDevice {
    int32_t device_type, device_id;
} DLDevice;

typedef struct DLDataType {
    uint8_t code, bits;
    uint16_t lanes;
} DLDataType;

typedef struct DLTensor {
    void *data;
    DLDevice device;
    int32_t ndim;
    DLDataType dtype;
    int64_t *shape, *strides;
    uint64_t byte_offset;
} DLTensor;

/* Adds 1 to three members through one definition, and returns how much their sum grows through the other. This is what
 * the program's calls come down to where the compiler sees all of them. */
static int32_t written_and_read(DLTensor *theirs, const sugar_tensor *ours)
{
    const int32_t before = ours->ndim + ours->dtype.bits + ours->device.device_type;
    theirs->ndim += 1;
    theirs->dtype.bits = (uint8_t)(theirs->dtype.bits + 1);
    theirs->device.device_type += 1;
    return ours->ndim + ours->dtype.bits + ours->device.device_type - before;
}

static int forward(const sugar_activation *relu, const DLTensor *x, const DLTensor *y)
{
    return sugar_forward(relu, (const sugar_tensor *)x, (const sugar_tensor *)y, NULL) == SUGAR_OK;
}

int main(void)
{
    float x[4] = {1, 2, 3, 4}, y[4] = {9, 9, 9, 9};
    int64_t shape[2] = {1, 2}, strides[2] = {2, 1};
    DLTensor tx = {x, {SUGAR_DEVICE_CPU, 0}, 2, {SUGAR_TYPE_FLOAT, 32, 1}, shape, strides, 0}, ty = tx;
    sugar_activation *relu;
    ty.data = y;
    if (written_and_read(&ty, (const sugar_tensor *)&ty) != 3)
        return 1;
    ty = tx;
    ty.data = y;
    if (sugar_activation_create(&relu, "relu") != SUGAR_OK)
        return 2;
    if (!forward(relu, &tx, &ty) || y[0] != 1 || y[1] != 2 || y[2] != 9)
        return 3;
    tx.byte_offset = ty.byte_offset = 2 * sizeof *x;        /* the other half */
    tx.ndim = ty.ndim = 1;
    tx.shape = ty.shape = shape + 1;
    tx.strides = ty.strides = NULL;
    if (!forward(relu, &tx, &ty) || y[2] != 3 || y[3] != 4)
        return 4;
    ty.dtype.bits = 64;
    if (forward(relu, &tx, &ty))
        return 5;
    sugar_activation_destroy(relu);
    return 0;
}
