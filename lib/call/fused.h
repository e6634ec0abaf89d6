/* Fused passes of one tile: a bias and a gate in one loop with f or g'. */
#ifndef SUGAR_FUSED_H
#define SUGAR_FUSED_H

#include "call/workspace.h"

/* Whether kernels can fuse all that a call's options ask for. Its operands, kernels and types are set, and which
 * outputs tile.c would stage. */
bool sugar_can_fuse(const sugar_extended_call *c);

/* The forward or the backward pass of a tile of such a call. */
void sugar_tile_fused(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b);

#endif
