/*
 * An inverted index: `wordindex FILE…` reads files of the current folder and writes index.tsv
 * there, one line `word<TAB>file<TAB>count` for each word of each file, sorted bytewise.
 * An ordinary program: it knows nothing of Dugnad.
 *
 * A word is a longest run of ASCII letters, in lower case, of up to 64 of them; longer runs are no
 * words. All other bytes only separate. The same files give the same bytes, in whatever order they
 * are named.
 *
 * Exit status: 0; 2: the arguments are wrong; 1: a file cannot be read or written, or the files
 * have more words than fit into memory (limits below; about 300 MB).
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUTPUT       "index.tsv"
#define WORD_MAX     64
#define WORDS_MAX    (UINT32_C(1) << 21) /* different ones */
#define POSTINGS_MAX (UINT32_C(1) << 23) /* words of files */
#define FILES_MAX    65536
#define NONE         UINT32_MAX

struct posting {
    uint32_t file; /* index into the sorted names */
    uint32_t count;
    uint32_t next; /* of the same word, in a later file; or NONE */
};

struct word {
    char *text;
    uint32_t hash;
    uint32_t first, last; /* postings */
};

struct index {
    struct word *words;
    uint32_t word_count, word_room;
    struct posting *postings;
    uint32_t posting_count, posting_room;
    uint32_t *slots; /* hash table of indices into words; open addressing, at most half full */
    uint32_t slot_count;
};

/* What follows a failed call may add its reason: errno is 0 or that call's. */
static _Noreturn void fail(int status, const char *words, const char *name)
{
    const char *reason = errno != 0 ? strerror(errno) : "";

    (void)fprintf(stderr, "wordindex: %s%s%s%s%s\n", name, name[0] != '\0' ? " " : "", words,
                  reason[0] != '\0' ? ": " : "", reason);
    exit(status);
}

static void *grow(void *memory, uint32_t *room, uint32_t max, size_t size)
{
    uint32_t wanted = *room == 0 ? 1024 : *room * 2;
    void *grown = wanted > max ? NULL : realloc(memory, wanted * size);

    if (grown == NULL)
        fail(1, "the files have too many words for one unit", "");
    *room = wanted;
    return grown;
}

/* FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint32_t hash_of(const char *text, size_t length)
{
    uint32_t hash = UINT32_C(2166136261);

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (uint8_t)text[i]) * UINT32_C(16777619);
    return hash;
}

static void rebuild_slots(struct index *index)
{
    free(index->slots);
    index->slot_count = index->slot_count == 0 ? 4096 : index->slot_count * 2;
    index->slots = malloc(index->slot_count * sizeof *index->slots);
    if (index->slots == NULL)
        fail(1, "no memory", "");
    memset(index->slots, 0xff, index->slot_count * sizeof *index->slots); /* NONE */
    for (uint32_t i = 0; i < index->word_count; i++) {
        uint32_t slot = index->words[i].hash & (index->slot_count - 1);

        while (index->slots[slot] != NONE)
            slot = (slot + 1) & (index->slot_count - 1);
        index->slots[slot] = i;
    }
}

static struct word *add_word(struct index *index, const char *text, size_t length, uint32_t hash)
{
    struct word *word;

    if (index->word_count == index->word_room)
        index->words = grow(index->words, &index->word_room, WORDS_MAX, sizeof *index->words);
    word = &index->words[index->word_count++];
    *word = (struct word){.text = strndup(text, length), .hash = hash, .first = NONE, .last = NONE};
    if (word->text == NULL)
        fail(1, "no memory", "");
    return word;
}

static struct word *find_word(struct index *index, const char *text, size_t length)
{
    uint32_t hash = hash_of(text, length);
    uint32_t slot;

    if (index->slot_count < 2 * (index->word_count + 1))
        rebuild_slots(index);
    slot = hash & (index->slot_count - 1);
    for (; index->slots[slot] != NONE; slot = (slot + 1) & (index->slot_count - 1)) {
        struct word *word = &index->words[index->slots[slot]];

        if (word->hash == hash && strncmp(word->text, text, length) == 0 &&
            word->text[length] == '\0')
            return word;
    }
    index->slots[slot] = index->word_count;
    return add_word(index, text, length, hash);
}

/* Files come in the order of their names, so a word's postings do, too. */
static void count_word(struct index *index, const char *text, size_t length, uint32_t file)
{
    struct word *word = find_word(index, text, length);
    uint32_t added = index->posting_count;

    if (word->last != NONE && index->postings[word->last].file == file) {
        index->postings[word->last].count++;
        return;
    }
    if (index->posting_count == index->posting_room)
        index->postings =
            grow(index->postings, &index->posting_room, POSTINGS_MAX, sizeof *index->postings);
    index->postings[index->posting_count++] =
        (struct posting){.file = file, .count = 1, .next = NONE};
    if (word->last == NONE)
        word->first = added;
    else
        index->postings[word->last].next = added;
    word->last = added;
}

static int letter_of(int byte)
{
    if (byte >= 'A' && byte <= 'Z')
        return byte - 'A' + 'a';
    return byte >= 'a' && byte <= 'z' ? byte : 0;
}

static void read_file(struct index *index, const char *name, uint32_t file)
{
    FILE *input = fopen(name, "rb");
    char text[WORD_MAX];
    size_t length = 0;
    int byte = 0;

    if (input == NULL)
        fail(1, "cannot be opened", name);
    while (byte != EOF) {
        int letter = letter_of(byte = getc_unlocked(input));

        if (letter != 0 && length < WORD_MAX)
            text[length] = (char)letter;
        if (letter != 0) {
            length += length <= WORD_MAX; /* one more than the most: not a word */
            continue;
        }
        if (length > 0 && length <= WORD_MAX)
            count_word(index, text, length, file);
        length = 0;
    }
    if (ferror(input))
        fail(1, "cannot be read", name);
    (void)fclose(input);
}

static int compare_words(const void *a, const void *b)
{
    return strcmp(((const struct word *)a)->text, ((const struct word *)b)->text);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void write_index(struct index *index, char **names)
{
    FILE *output = fopen(OUTPUT, "wb");
    bool is_written;

    if (output == NULL)
        fail(1, "cannot be made", OUTPUT);
    if (index->word_count > 0)
        qsort(index->words, index->word_count, sizeof *index->words, compare_words);
    for (uint32_t i = 0; i < index->word_count; i++)
        for (uint32_t j = index->words[i].first; j != NONE; j = index->postings[j].next)
            (void)fprintf(output, "%s\t%s\t%u\n", index->words[i].text,
                          names[index->postings[j].file], (unsigned)index->postings[j].count);
    is_written = !ferror(output);
    if (fclose(output) != 0 || !is_written)
        fail(1, "cannot be written", OUTPUT);
}

/* A name with a slash, tab or line end could not be told apart in the index. */
static void check_names(int count, char **names)
{
    if (count < 1 || count > FILES_MAX)
        fail(2, "usage: wordindex FILE… (up to 65536 files of this folder)", "");
    for (int i = 0; i < count; i++)
        if (names[i][0] == '\0' || strpbrk(names[i], "/\t\n") != NULL)
            fail(2, "is not the name of a file in this folder", names[i]);
    qsort(names, (size_t)count, sizeof *names, compare_names);
    for (int i = 1; i < count; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            fail(2, "is named twice", names[i]);
}

static void clear(struct index *index)
{
    for (uint32_t i = 0; i < index->word_count; i++)
        free(index->words[i].text);
    free(index->words);
    free(index->postings);
    free(index->slots);
}

int main(int count, char **arguments)
{
    struct index index = {0};

    check_names(count - 1, arguments + 1);
    for (int i = 1; i < count; i++)
        read_file(&index, arguments[i], (uint32_t)i - 1);
    write_index(&index, arguments + 1);
    clear(&index);
    return 0;
}
