#include "sandbox/layers.h"

#include <string.h>

static const struct {
    const char *name;
    const char *words;
} facts[LAYER_COUNT] = {
#define X(symbol, layer_name, layer_words) {layer_name, layer_words},
    LAYER_TABLE(X)
#undef X
};

const char *layer_name(enum layer layer)
{
    return facts[layer].name;
}

const char *layer_words(enum layer layer)
{
    return facts[layer].words;
}

enum layer layer_from_name(const char *name)
{
    for (int i = 0; i < LAYER_COUNT; i++)
        if (strcmp(facts[i].name, name) == 0)
            return (enum layer)i;
    return LAYER_COUNT;
}
