/* native/xla_ffi.h against the header that jaxlib ships. test_jax.py compiles it; there is nothing to run.
 *
 *     cc -std=c11 -fsyntax-only -I"$(python3 -c 'import jax; print(jax.ffi.include_dir())')" xla_ffi_layout.c */
#include <assert.h>

#include "../native/xla_ffi.h"
#include "xla/ffi/api/c_api.h"

#define MEMBER(ours, member, theirs, other)                                                                            \
    static_assert(offsetof(ours, member) == offsetof(theirs, other), #ours "." #member ": offset");                    \
    static_assert(sizeof(((ours *)0)->member) == sizeof(((theirs *)0)->other), #ours "." #member ": size")
#define VALUE(ours, theirs) static_assert((int)(ours) == (int)(theirs), #ours)

VALUE(XLA_FFI_MAJOR, XLA_FFI_API_MAJOR);
static_assert((int)XLA_FFI_MINOR <= (int)XLA_FFI_API_MINOR, "XLA_FFI_MINOR");

MEMBER(xla_extension, struct_size, XLA_FFI_Extension_Base, struct_size);
MEMBER(xla_extension, type, XLA_FFI_Extension_Base, type);
MEMBER(xla_extension, next, XLA_FFI_Extension_Base, next);
VALUE(XLA_METADATA, XLA_FFI_Extension_Metadata);

MEMBER(xla_version, struct_size, XLA_FFI_Api_Version, struct_size);
MEMBER(xla_version, extensions, XLA_FFI_Api_Version, extension_start);
MEMBER(xla_version, major, XLA_FFI_Api_Version, major_version);
MEMBER(xla_version, minor, XLA_FFI_Api_Version, minor_version);

typedef struct XLA_FFI_Metadata their_metadata;
typedef struct XLA_FFI_Metadata_Extension their_metadata_extension;
MEMBER(xla_metadata, struct_size, their_metadata, struct_size);
MEMBER(xla_metadata, version, their_metadata, api_version);
MEMBER(xla_metadata, traits, their_metadata, traits);
MEMBER(xla_metadata_extension, base, their_metadata_extension, extension_base);
MEMBER(xla_metadata_extension, metadata, their_metadata_extension, metadata);

VALUE(XLA_F16, XLA_FFI_DataType_F16);
VALUE(XLA_F32, XLA_FFI_DataType_F32);
VALUE(XLA_F64, XLA_FFI_DataType_F64);
VALUE(XLA_BF16, XLA_FFI_DataType_BF16);

MEMBER(xla_buffer, struct_size, XLA_FFI_Buffer, struct_size);
MEMBER(xla_buffer, extensions, XLA_FFI_Buffer, extension_start);
MEMBER(xla_buffer, type, XLA_FFI_Buffer, dtype);
MEMBER(xla_buffer, data, XLA_FFI_Buffer, data);
MEMBER(xla_buffer, rank, XLA_FFI_Buffer, rank);
MEMBER(xla_buffer, extents, XLA_FFI_Buffer, dims);

MEMBER(xla_text, start, XLA_FFI_ByteSpan, ptr);
MEMBER(xla_text, length, XLA_FFI_ByteSpan, len);

MEMBER(xla_array, type, XLA_FFI_Array, dtype);
MEMBER(xla_array, count, XLA_FFI_Array, size);
MEMBER(xla_array, data, XLA_FFI_Array, data);

VALUE(XLA_ARRAY, XLA_FFI_AttrType_ARRAY);
VALUE(XLA_STRING, XLA_FFI_AttrType_STRING);
static_assert(sizeof(int) == sizeof(XLA_FFI_ArgType) && sizeof(int) == sizeof(XLA_FFI_RetType)
                  && sizeof(int) == sizeof(XLA_FFI_AttrType),
              "lists of kinds");

MEMBER(xla_buffers, struct_size, XLA_FFI_Args, struct_size);
MEMBER(xla_buffers, extensions, XLA_FFI_Args, extension_start);
MEMBER(xla_buffers, count, XLA_FFI_Args, size);
MEMBER(xla_buffers, kinds, XLA_FFI_Args, types);
MEMBER(xla_buffers, items, XLA_FFI_Args, args);
MEMBER(xla_buffers, count, XLA_FFI_Rets, size);
MEMBER(xla_buffers, kinds, XLA_FFI_Rets, types);
MEMBER(xla_buffers, items, XLA_FFI_Rets, rets);

MEMBER(xla_attributes, struct_size, XLA_FFI_Attrs, struct_size);
MEMBER(xla_attributes, extensions, XLA_FFI_Attrs, extension_start);
MEMBER(xla_attributes, count, XLA_FFI_Attrs, size);
MEMBER(xla_attributes, kinds, XLA_FFI_Attrs, types);
MEMBER(xla_attributes, names, XLA_FFI_Attrs, names);
MEMBER(xla_attributes, values, XLA_FFI_Attrs, attrs);

VALUE(XLA_INVALID_ARGUMENT, XLA_FFI_Error_Code_INVALID_ARGUMENT);
VALUE(XLA_RESOURCE_EXHAUSTED, XLA_FFI_Error_Code_RESOURCE_EXHAUSTED);
VALUE(XLA_OUT_OF_RANGE, XLA_FFI_Error_Code_OUT_OF_RANGE);
VALUE(XLA_UNIMPLEMENTED, XLA_FFI_Error_Code_UNIMPLEMENTED);
VALUE(XLA_INTERNAL, XLA_FFI_Error_Code_INTERNAL);

MEMBER(xla_error_arguments, struct_size, XLA_FFI_Error_Create_Args, struct_size);
MEMBER(xla_error_arguments, extensions, XLA_FFI_Error_Create_Args, extension_start);
MEMBER(xla_error_arguments, message, XLA_FFI_Error_Create_Args, message);
MEMBER(xla_error_arguments, code, XLA_FFI_Error_Create_Args, errc);

MEMBER(xla_destroy_arguments, struct_size, XLA_FFI_Error_Destroy_Args, struct_size);
MEMBER(xla_destroy_arguments, extensions, XLA_FFI_Error_Destroy_Args, extension_start);
MEMBER(xla_destroy_arguments, error, XLA_FFI_Error_Destroy_Args, error);

MEMBER(xla_schedule_arguments, struct_size, XLA_FFI_ThreadPool_Schedule_Args, struct_size);
MEMBER(xla_schedule_arguments, extensions, XLA_FFI_ThreadPool_Schedule_Args, extension_start);
MEMBER(xla_schedule_arguments, execution, XLA_FFI_ThreadPool_Schedule_Args, ctx);
MEMBER(xla_schedule_arguments, task, XLA_FFI_ThreadPool_Schedule_Args, task);
MEMBER(xla_schedule_arguments, data, XLA_FFI_ThreadPool_Schedule_Args, data);

MEMBER(xla_threads_arguments, struct_size, XLA_FFI_ThreadPool_NumThreads_Args, struct_size);
MEMBER(xla_threads_arguments, extensions, XLA_FFI_ThreadPool_NumThreads_Args, extension_start);
MEMBER(xla_threads_arguments, execution, XLA_FFI_ThreadPool_NumThreads_Args, ctx);
MEMBER(xla_threads_arguments, threads, XLA_FFI_ThreadPool_NumThreads_Args, num_threads);

typedef struct XLA_FFI_Api their_api;
MEMBER(xla_api, version, their_api, api_version);
MEMBER(xla_api, create_error, their_api, XLA_FFI_Error_Create);
MEMBER(xla_api, destroy_error, their_api, XLA_FFI_Error_Destroy);
MEMBER(xla_api, schedule, their_api, XLA_FFI_ThreadPool_Schedule);
MEMBER(xla_api, count_threads, their_api, XLA_FFI_ThreadPool_NumThreads);

MEMBER(xla_frame, struct_size, XLA_FFI_CallFrame, struct_size);
MEMBER(xla_frame, extensions, XLA_FFI_CallFrame, extension_start);
MEMBER(xla_frame, api, XLA_FFI_CallFrame, api);
MEMBER(xla_frame, execution, XLA_FFI_CallFrame, ctx);
MEMBER(xla_frame, stage, XLA_FFI_CallFrame, stage);
MEMBER(xla_frame, arguments, XLA_FFI_CallFrame, args);
MEMBER(xla_frame, results, XLA_FFI_CallFrame, rets);
MEMBER(xla_frame, attributes, XLA_FFI_CallFrame, attrs);
