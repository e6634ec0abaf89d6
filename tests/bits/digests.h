/* Digests: the inputs, the table, and the rows of extended calls. */
#ifndef DIGESTS_H
#define DIGESTS_H

#include "../support/support.h"

enum { MAX_INPUTS = 120000, MAX_ROWS = 4096 };

typedef struct inputs {
    element_type type;
    int64_t count;
    _Alignas(8) unsigned char x[MAX_INPUTS * 8], dy[MAX_INPUTS * 8], dx[MAX_INPUTS * 8];
} inputs;

typedef struct row {
    char name[120];
    uint64_t digest;
} row;

typedef struct table {
    row rows[MAX_ROWS];
    int count;
} table;

/* FNV-1a over elements, lowest byte first, with all NaNs taken for one; or over bytes. */
uint64_t digest(const void *elements, int64_t count, element_type type);
uint64_t digest_bytes(const void *bytes, size_t count);

void add_row(table *t, const char *spec, const char *direction, element_type type, uint64_t value);

/* Makes a call in the mode that --mode names. Ends the program if the call fails, or leaves another mode. */
#define check_call(call) (enter_mode(), check_status(call))
void enter_mode(void);
void check_status(sugar_status status);

/* must_create(), in that mode. */
sugar_activation *create_in_mode(const char *spec, const char *level);

/* What a kind can do, SUGAR_CAN_*. */
void digest_extended(table *t, const char *spec, uint64_t capabilities, const char *level, const inputs *in);
void digest_monitor(table *t, const char *level, const inputs *in);
void digest_fused(table *t, const char *level, const inputs *in);

#endif
