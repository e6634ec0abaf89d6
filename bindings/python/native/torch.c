/* PyTorch's own threads for calls of libsugar. libsugar.torch loads this by ctypes; no header of PyTorch is needed. */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <sugar/sugar.h>

/* torch_parallel_for of LibTorch's stable C ABI, since 2.10. 0 means success. */
typedef int32_t (*torch_parallel_for)(int64_t begin, int64_t end, int64_t grain_size,
                                      void (*part)(int64_t begin, int64_t end, void *context), void *context);

typedef struct work_of_call {
    void (*task)(void *work, int64_t index);
    void *work;
} work_of_call;

static void run_part(int64_t begin, int64_t end, void *context)
{
    const work_of_call *call = context;
    for (int64_t i = begin; i < end; i++) {
        call->task(call->work, i);
    }
}

/* A sugar_parallel_for: payload is the address of torch_parallel_for. */
__attribute__((visibility("default"))) void
sugar_torch_parallel_for(void *payload, void (*task)(void *work, int64_t index), void *work, int64_t count);

void sugar_torch_parallel_for(void *payload, void (*task)(void *work, int64_t index), void *work, int64_t count)
{
    torch_parallel_for run;
    static_assert(sizeof run == sizeof payload, "dlsym relies on it, too");
    memcpy(&run, &payload, sizeof run); /* ISO C has no cast from an object's address to a function's */
    work_of_call call = {task, work};
    /* It fails before anything ran, as where it could start no thread: no task throws. */
    if (run(0, count, 1, run_part, &call) != 0) {
        run_part(0, count, &call);
    }
}

static_assert(_Generic(&sugar_torch_parallel_for, sugar_parallel_for: 1, default: 0), "as the header has it");
