#include "work-units/refusal.h"

#include <assert.h>
#include <string.h>

static const struct {
    const char *code, *words;
} table[] = {
#define X(symbol, name, sentence) [REFUSAL_##symbol] = {.code = name, .words = sentence},
    REFUSAL_TABLE(X)
#undef X
};

const char *refusal_code(enum refusal refusal)
{
    assert(refusal < REFUSAL_COUNT);
    return table[refusal].code;
}

const char *refusal_words(enum refusal refusal)
{
    assert(refusal < REFUSAL_COUNT);
    return table[refusal].words;
}

enum refusal refusal_from_code(const char *code)
{
    enum refusal refusal = REFUSAL_NONE;

    while (refusal < REFUSAL_COUNT && strcmp(table[refusal].code, code) != 0)
        refusal++;
    return refusal;
}

enum refusal refusal_from_error(const struct error *err)
{
    enum refusal refusal = err->code != NULL ? refusal_from_code(err->code) : REFUSAL_COUNT;

    return refusal == REFUSAL_COUNT || refusal == REFUSAL_NONE ? REFUSAL_MALFORMED : refusal;
}
