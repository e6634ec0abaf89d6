/* The report: one HTML file with its style and its plots inside, and no script. */
#ifndef RESURRECT_HTML_H
#define RESURRECT_HTML_H

#include <stdio.h>

#include "summary.h"

void html_write(FILE *file, const session *all);

#endif
