/* What jax.c needs of the C ABI of XLA's foreign function interface (FFI), declared anew, so that the package builds
 * without jaxlib. The names are ours; the order, the types and the values are those of xla/ffi/api/c_api.h, which
 * jaxlib ships (jax.ffi.include_dir()). tests/xla_ffi_layout.c compares the two, and test_jax.py runs it.
 *
 * The version of that ABI is 0.1. What is declared here is the same in 0.3, the one of jaxlib 0.10. XLA accepts older
 * minor versions, and asks for the version when a handler is registered (xla_metadata). */
#ifndef SUGAR_XLA_FFI_H
#define SUGAR_XLA_FFI_H

#include <stddef.h>
#include <stdint.h>

enum { XLA_FFI_MAJOR = 0, XLA_FFI_MINOR = 1 };

/* Every struct begins with its size, and most have a list of extensions behind it. */
typedef struct xla_extension {
    size_t struct_size;
    int type;                       /* XLA_METADATA */
    struct xla_extension *next;
} xla_extension;

typedef struct xla_version {
    size_t struct_size;
    xla_extension *extensions;
    int major, minor;
} xla_version;

enum { XLA_METADATA = 1 };

/* The question that comes with a handler's first call, as an extension of its frame: which version it was made for. */
typedef struct xla_metadata {
    size_t struct_size;
    xla_version version;            /* out */
    uint32_t traits;                /* out; bits that only GPUs use */
} xla_metadata;

typedef struct xla_metadata_extension {
    xla_extension base;
    xla_metadata *metadata;
} xla_metadata_extension;

/* Types of elements, numbered as in xla_data.proto. */
enum { XLA_F16 = 10, XLA_F32 = 11, XLA_F64 = 12, XLA_BF16 = 16 };

/* A compact array in row-major order. */
typedef struct xla_buffer {
    size_t struct_size;
    xla_extension *extensions;
    int type;
    void *data;
    int64_t rank;
    int64_t *extents;               /* [rank] */
} xla_buffer;

typedef struct xla_text {
    const char *start;
    size_t length;
} xla_text;

/* Arguments, or results. There is one kind of them. */
typedef struct xla_buffers {
    size_t struct_size;
    xla_extension *extensions;
    int64_t count;
    int *kinds;                     /* [count] */
    void **items;                   /* [count]; xla_buffer * */
} xla_buffers;

typedef struct xla_array {
    int type;
    size_t count;
    void *data;                     /* [count] */
} xla_array;

enum { XLA_ARRAY = 1, XLA_STRING = 4 };

typedef struct xla_attributes {
    size_t struct_size;
    xla_extension *extensions;
    int64_t count;
    int *kinds;                     /* [count]; XLA_ARRAY, XLA_STRING, or others */
    xla_text **names;               /* [count] */
    void **values;                  /* [count]; of a string: xla_text *, of an array: xla_array * */
} xla_attributes;

typedef struct xla_error xla_error;
typedef struct xla_execution xla_execution;

/* Codes of errors, those of absl::Status. */
enum {
    XLA_INVALID_ARGUMENT = 3,
    XLA_RESOURCE_EXHAUSTED = 8,
    XLA_OUT_OF_RANGE = 11,
    XLA_UNIMPLEMENTED = 12,
    XLA_INTERNAL = 13
};

typedef struct xla_error_arguments {
    size_t struct_size;
    xla_extension *extensions;
    const char *message;            /* copied */
    int code;
} xla_error_arguments;

typedef struct xla_schedule_arguments {
    size_t struct_size;
    xla_extension *extensions;
    xla_execution *execution;
    void (*task)(void *data);
    void *data;
} xla_schedule_arguments;

typedef struct xla_threads_arguments {
    size_t struct_size;
    xla_extension *extensions;
    xla_execution *execution;
    int64_t *threads;               /* out */
} xla_threads_arguments;

typedef struct xla_destroy_arguments {
    size_t struct_size;
    xla_extension *extensions;
    xla_error *error;
} xla_destroy_arguments;

/* XLA's own functions. Those that are not called here stand as addresses. */
typedef struct xla_api {
    size_t struct_size;
    xla_extension *extensions;
    xla_version version;
    const void *internal;
    xla_error *(*create_error)(xla_error_arguments *arguments);
    void *get_message;
    void (*destroy_error)(xla_destroy_arguments *arguments);
    void *register_handler, *get_stream, *register_type, *get_execution, *set_state, *get_state, *allocate, *release;
    xla_error *(*schedule)(xla_schedule_arguments *arguments);
    xla_error *(*count_threads)(xla_threads_arguments *arguments);
} xla_api;

/* All that a handler gets. */
typedef struct xla_frame {
    size_t struct_size;
    xla_extension *extensions;
    const xla_api *api;
    xla_execution *execution;
    int stage;
    xla_buffers arguments, results;
    xla_attributes attributes;
} xla_frame;

#endif
