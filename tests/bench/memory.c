/* The memory of all cases, and what it is filled with; see bench.h. */
#include "bench.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../support/support.h"

/* Operands a power of two apart would share cache sets; peers may read a little beyond the end. */
enum { PAGE = 4096, SHIFT = 1088, BEYOND = 4096 };

memory memory_make(size_t bytes_per_operand)
{
    memory m = {.operand_size = (bytes_per_operand + BEYOND + PAGE - 1) / PAGE * PAGE + SHIFT};
    m.size = OPERANDS * m.operand_size;
    m.descriptor = memfd_create("sugar-bench", 0);
    if (m.descriptor < 0 || ftruncate(m.descriptor, (off_t)m.size) != 0)
        give_up("bench", "no memory to share");
    void *start = mmap(NULL, m.size, PROT_READ | PROT_WRITE, MAP_SHARED, m.descriptor, 0);
    if (start == MAP_FAILED)
        give_up("bench", "no memory to share");
    m.start = start;
    return m;
}

void memory_free(memory *m)
{
    munmap(m->start, m->size);
    close(m->descriptor);
}

void *memory_operand(const memory *m, int operand)
{
    return m->start + (size_t)operand * m->operand_size;
}

/* The sum of four uniform numbers, about normal, with a standard deviation of 2. */
static double activation_like(uint64_t *state)
{
    double sum = 0;
    for (int i = 0; i < 4; i++)
        sum += (double)(random_bits(state) >> 11) * 0x1p-53 - 0.5;
    return sum * 3.4641016151377544;
}

void memory_fill(const memory *m, size_t width, int64_t elements)
{
    enum { BLOCK = 65536 };             /* repeated: no kernel can learn so many */
    uint64_t state = 1;
    for (int k = X; k <= DY; k++) {
        unsigned char *data = memory_operand(m, k);
        const int64_t fresh = elements < BLOCK ? elements : BLOCK;
        for (int64_t i = 0; i < fresh; i++) {
            const double value = activation_like(&state);
            if (width == sizeof(float))
                ((float *)(void *)data)[i] = (float)value;
            else
                ((double *)(void *)data)[i] = value;
        }
        const size_t block = (size_t)fresh * width, all = (size_t)elements * width;
        for (size_t done = block; done < all; done += block)
            memcpy(data + done, data, all - done < block ? all - done : block);
    }
}
