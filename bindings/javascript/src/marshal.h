/* From values of JavaScript to arguments of C, through Node-API. functions.c, generated, is written in these. */
#ifndef SUGAR_JAVASCRIPT_MARSHAL_H
#define SUGAR_JAVASCRIPT_MARSHAL_H

#define NAPI_VERSION 8
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Something that may have moved or ended since it was read: through code of the caller's in what was read after it, or
 * between the calls that use a prepared struct. */
struct fixup {
    struct fixup *next;
    napi_value value;           /* in the call that read it */
    napi_ref kept;              /* of a prepared struct; weak: whoever keeps the struct keeps this too */
    const char *name;
    const void *tag;            /* of a handle or a struct; NULL for memory */
    bool prepared;              /* a struct that was prepared itself */
    void *slot;                 /* where its address is kept: a pointer of any type */
    size_t size;                /* bytes that memory had */
};

/* One call, or the making of a prepared struct: the memory for its arguments, and whether one was refused. */
struct call {
    napi_env env;
    struct block *blocks;
    bool failed;                /* an exception is pending */
    bool prepares;              /* what is read is used in later calls */
    struct fixup *fixups;
};

/* What an External of this addon leads to. */
struct box {
    const void *tag;            /* of what: handles and structs have one each, compared by address */
    void *pointer;              /* NULL: destroyed */
    void (*destroy)(void *);    /* of a handle */
    struct call kept;                 /* what a prepared struct consists of */
};

/* Reads the arguments; those that are missing are undefined. */
void call_begin(struct call *call, napi_env env, napi_callback_info info, size_t count, napi_value *arguments);
void call_end(struct call *call);

/* Memory until call_end, all zero; NULL, with an exception, if there is none. */
void *call_memory(struct call *call, size_t size);

/* Looks up what the structs read lead to. From here to the call, no code of the caller's may run. */
void call_look_up(struct call *call);

/* Throws SugarError with the status of a bad argument, unless an exception is pending. */
void call_fail(struct call *call, const char *name, const char *problem);

int64_t get_int64(struct call *call, napi_value value, const char *name, int64_t minimum, int64_t maximum);
uint64_t get_uint64(struct call *call, napi_value value, const char *name);
double get_double(struct call *call, napi_value value, const char *name);
const char *get_string(struct call *call, napi_value value, const char *name);

/* A typed array of that type, of at least `count` elements that are `step` apart. null gives NULL. */
void *get_elements(struct call *call, napi_value value, const char *name, napi_typedarray_type type, int64_t count,
                   int64_t step);

/* Any typed array, of at least `size` bytes. */
void *get_memory(struct call *call, napi_value value, const char *name, uint64_t size, void *slot);

/* A list of `count` whole numbers or more, copied. */
const int64_t *get_numbers(struct call *call, napi_value value, const char *name, int64_t count);

/* A list of `count` numbers or more, copied. The count is a double, as a product of sizes may overflow. */
const double *get_doubles(struct call *call, napi_value value, const char *name, double count);

/* The pointer of a handle. It may not be destroyed yet. */
void *get_handle(struct call *call, napi_value value, const char *name, const void *tag, void *slot);

/* Destroys what a handle has, now. */
void destroy_handle(struct call *call, napi_value value, const char *name, const void *tag);

/* out[0] = a new handle, freed with it. Destroys the pointer if that fails. */
void set_handle(struct call *call, napi_value out, const char *name, const void *tag, void *pointer,
                void (*destroy)(void *));

/* A member of an object: false if it is undefined or null. */
bool get_member(struct call *call, napi_value object, const char *name, napi_value *member);
void set_member(struct call *call, napi_value object, const char *name, napi_value member);

/* The bytes that a member of an object says; 0 if it is undefined or null. */
uint64_t get_size(struct call *call, napi_value object, const char *name);

/* Whether a struct is to be made of the value: it is neither null nor a prepared one, which is looked up later, for
 * the slot. */
bool is_to_be_made(struct call *call, napi_value value, const char *name, const void *tag, void *slot);

/* A struct that was prepared, with all that it leads to looked up anew; NULL if the value is no External. */
void *get_prepared(struct call *call, napi_value value, const char *name, const void *tag);

/* Hands `pointer` over with all that the call allocated. */
napi_value new_prepared(struct call *call, const void *tag, void *pointer);

/* Whether it is null or undefined. */
bool is_null(struct call *call, napi_value value);
napi_value new_string(struct call *call, const char *text);
napi_value new_bigint(struct call *call, int64_t number);
napi_value new_unsigned(struct call *call, uint64_t number);
napi_value new_number(struct call *call, double number);

/* An array with a copy of the numbers; null for NULL. */
napi_value new_numbers(struct call *call, const double *numbers, int64_t count);

/* set_error_class(SugarError): what call_fail makes, as new SugarError(status, message). */
napi_value set_error_class(napi_env env, napi_callback_info info);

#endif
