/* Floating-point modes that a program may have set. A call computes in IEEE 754's default mode, whatever the caller's,
 * and gives that back; tests see to it with these. */
#ifndef FLOAT_MODE_H
#define FLOAT_MODE_H

/* How many modes beside the default one this processor knows by name. */
int float_mode_count(void);
const char *float_mode_name(int mode);

/* Sets a mode for this thread. 0: the processor does not have it, and nothing is set. Until float_mode_leave() the
 * test computes nothing itself. */
int float_mode_enter(int mode);

/* Sets the default mode again, and lowers all flags. 0: another mode had been set since the one entered. */
int float_mode_leave(int mode);

#endif
