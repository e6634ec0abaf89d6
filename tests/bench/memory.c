/* The memory of all cases, and what it is filled with; see bench.h. */
#include "bench.h"

#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../support/support.h"

/* Operands a power of two apart would share cache sets; peers may read a little beyond the end. */
enum { PAGE = 4096, SHIFT = 1088, BEYOND = 4096 };

memory memory_make(size_t bytes_per_operand)
{
    memory m = {.operand_size = (bytes_per_operand + BEYOND + PAGE - 1) / PAGE * PAGE + SHIFT,
                .filled = bytes_per_operand};
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

void *memory_operand(const memory *m, int operand) { return m->start + (size_t)operand * m->operand_size; }

static double uniform(uint64_t *state) { return ((double)(random_bits(state) >> 11) + 0.5) * 0x1p-53; }

/* Box and Muller's method. */
static double normal(uint64_t *state)
{
    const double radius = sqrt(-2 * log(uniform(state)));
    return radius * cos(6.283185307179586 * uniform(state));
}

/* Layers differ in scale: one half of x has a standard deviation of 1, the other of 2, mixed at random. */
static double choose_number(int operand, double reach, uint64_t *state)
{
    if (operand != X)
        return normal(state);
    if (reach > 0)
        return 2 * reach * uniform(state) - reach;
    return random_bits(state) & 1 ? normal(state) : 2 * normal(state);
}

void memory_fill(const memory *m, element_type type, double reach)
{
    enum { BLOCK = 65536 };             /* elements, repeated: too many for a processor to learn */
    const size_t width = element_formats[type].width;
    const size_t all = m->filled, block = all < BLOCK * width ? all : BLOCK * width;
    uint64_t state = 1;
    for (int k = 0; k < OPERANDS; k++) {
        if (k == OUT || k == OTHER)
            continue;
        unsigned char *data = memory_operand(m, k);
        for (size_t i = 0; i < block / width; i++)
            element_store(data, (int64_t)i, type, element_of(choose_number(k, reach, &state), type));
        for (size_t done = block; done < all; done += block)
            memcpy(data + done, data, all - done < block ? all - done : block);
    }
}
