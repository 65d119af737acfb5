#include "bench/figures.h"

void figures_merge(struct figures *into, const struct figures *from)
{
#define X(name, what) into->name += from->name;
    FIGURES_TABLE(X)
#undef X
    histogram_merge(&into->visit_us, &from->visit_us);
}
