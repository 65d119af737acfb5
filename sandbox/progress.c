#include "sandbox/progress.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/beneath.h"

#define TEXT_MAX 31 /* digits that nobody needs may follow */

/* "0.25" is 250; what is no such number is 0. */
static int parse(const char *text)
{
    int permille = 0, unit = 1000;

    if ((text[0] != '0' && text[0] != '1') || strchr(".\n", text[1]) == NULL)
        return 0;
    permille = (text[0] - '0') * unit;
    for (const char *at = text + (text[1] == '.' ? 2 : 1); *at != '\0' && *at != '\n'; at++) {
        if (*at < '0' || *at > '9')
            return 0;
        unit /= 10;
        permille += (*at - '0') * unit;
    }
    return permille <= 1000 ? permille : 0;
}

static int read_progress(int descriptor)
{
    struct stat facts;
    char text[TEXT_MAX + 1];
    ssize_t length;

    if (fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode))
        return 0;
    length = pread(descriptor, text, TEXT_MAX, 0);
    if (length <= 0)
        return 0;
    text[length] = '\0';
    return strlen(text) == (size_t)length ? parse(text) : 0;
}

int progress_of_slot(int slot)
{
    int descriptor = open_beneath(slot, PROGRESS_FILE), permille;

    if (descriptor < 0)
        return 0;
    permille = read_progress(descriptor);
    (void)close(descriptor);
    return permille;
}
