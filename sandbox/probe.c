#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/confine.h"
#include "sandbox/fork.h"
#include "sandbox/native.h"

#define USER    LAYER_BIT(LAYER_USER_NAMESPACE)
#define PID     LAYER_BIT(LAYER_PID_NAMESPACE)
#define NETWORK LAYER_BIT(LAYER_NETWORK_NAMESPACE)

/*
 * Best first. A plain user gets the others only with a user namespace; root also without, where
 * user namespaces are switched off.
 */
static const uint32_t namespace_sets[] = {
    USER | PID | NETWORK, USER | PID, PID | NETWORK, PID, USER | NETWORK, NETWORK, 0,
};

struct keeper_note *native_note_new(void)
{
    void *note = mmap(NULL, sizeof(struct keeper_note), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return note != MAP_FAILED ? note : NULL;
}

void native_note_free(struct keeper_note *note)
{
    (void)munmap(note, sizeof *note);
}

/* A signal handler of ours must not run in the child: it would act on the client's behalf. */
pid_t native_fork(void (*run)(const struct preparation *preparation, struct keeper_note *note),
                  const struct preparation *preparation, struct keeper_note *note, int *ret_pidfd)
{
    sigset_t all, before;
    pid_t child;
    int cause;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    child = fork_raw(confine_namespaces(preparation->layers), 0, ret_pidfd);
    if (child == 0)
        run(preparation, note);
    cause = errno;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = cause;
    return child;
}

/* False: these layers cannot be had together. */
static bool try_layers(uint32_t layers, uint32_t *ret_layers)
{
    CLEANUP(native_note_freep) struct keeper_note *note = native_note_new();
    CLEANUP(preparation_clear) struct preparation preparation;
    enum status status = preparation_init_empty(&preparation, layers, NULL);
    int ended;
    pid_t child;

    if (note == NULL || status != STATUS_OK)
        return false;
    child = native_fork(keeper_probe, &preparation, note, NULL);
    if (child < 0)
        return false;
    while (waitpid(child, &ended, __WALL) < 0)
        if (errno != EINTR)
            return false;
    *ret_layers = layers & ~note->failed_layers;
    return WIFEXITED(ended) && note->failed_errno == 0 &&
           (note->failed_layers & (USER | PID | NETWORK)) == 0;
}

uint32_t native_probe(uint32_t wanted)
{
    const size_t sets = sizeof namespace_sets / sizeof namespace_sets[0];
    uint32_t layers = 0;

    for (size_t i = 0; i < sets; i++)
        if ((namespace_sets[i] & ~wanted) == 0 &&
            try_layers((wanted & ~(USER | PID | NETWORK)) | namespace_sets[i], &layers))
            return layers;
    return 0;
}
