/* Standard input, output and error of a process that was started without some of them. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/env/real.h"

/* The lowest free number is what open() gives, so each is filled in its turn. */
static bool fill(int descriptor, int how)
{
    if (fcntl(descriptor, F_GETFD) != -1 || errno != EBADF)
        return true;
    return open("/dev/null", how) == descriptor;
}

bool standard_files_hold(void)
{
    return fill(STDIN_FILENO, O_WRONLY) && fill(STDOUT_FILENO, O_RDONLY) &&
           fill(STDERR_FILENO, O_WRONLY);
}
