/* Every number of a session as JSON. */
#ifndef RESURRECT_JSON_H
#define RESURRECT_JSON_H

#include <stdio.h>

#include "summary.h"

void json_write(FILE *file, const session *all);

#endif
