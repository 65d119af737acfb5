/*
 * Notes what a server says and hears inside TLS, for tests/integration/recording.py. Preloaded into
 * dugnad-server by the scenarios, so that every connection is the server's own: certificates,
 * tickets, cuts and slow peers are what they are without it. In any other program it does nothing:
 * dugnad-bench, which is a client, hands it on to the servers that it starts.
 *
 * DUGNAD_RECORDING names a folder; each process writes one file there, PID.wire, of pieces in the
 * order in which they were read or written. A piece is "CONNECTION DIRECTION LENGTH\n" and so many
 * bytes; the direction is '<' (from the peer), '>' (to it) or '.' (closed, no bytes). Only what
 * OpenSSL says was moved is noted. A killed process leaves what it had: at most the last piece is
 * cut.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

typedef int reader(SSL *ssl, void *bytes, size_t size, size_t *ret_count);
typedef int writer(SSL *ssl, const void *bytes, size_t length, size_t *ret_count);

static reader *read_on;
static writer *write_on;
static int file = -1;
static int slot = -1; /* of SSL objects: the connection's number */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uintptr_t connections;

/* Under the lock. A test that cannot be written down proves nothing: end at once. */
static void note(uintptr_t connection, char direction, const void *bytes, size_t length)
{
    char head[64];
    struct iovec parts[2] = {{.iov_base = head}, {.iov_base = (void *)bytes, .iov_len = length}};
    int count =
        snprintf(head, sizeof head, "%ju %c %zu\n", (uintmax_t)connection, direction, length);

    parts[0].iov_len = (size_t)count;
    if (writev(file, parts, 2) != (ssize_t)(parts[0].iov_len + length))
        abort();
}

static void moved(SSL *ssl, char direction, const void *bytes, size_t length)
{
    uintptr_t connection;

    if (file < 0 || length == 0)
        return;
    (void)pthread_mutex_lock(&lock);
    connection = (uintptr_t)SSL_get_ex_data(ssl, slot);
    if (connection == 0) {
        connection = ++connections;
        (void)SSL_set_ex_data(ssl, slot, (void *)connection);
    }
    note(connection, direction, bytes, length);
    (void)pthread_mutex_unlock(&lock);
}

static void closed(void *ssl, void *connection, CRYPTO_EX_DATA *data, int index, long argl,
                   void *argp)
{
    (void)ssl, (void)data, (void)index, (void)argl, (void)argp;
    if (file < 0 || connection == NULL)
        return;
    (void)pthread_mutex_lock(&lock);
    note((uintptr_t)connection, '.', NULL, 0);
    (void)pthread_mutex_unlock(&lock);
}

__attribute__((constructor)) static void begin(void)
{
    const char *folder = getenv("DUGNAD_RECORDING");
    char path[4096];

    *(void **)&read_on = dlsym(RTLD_NEXT, "SSL_read_ex");
    *(void **)&write_on = dlsym(RTLD_NEXT, "SSL_write_ex");
    if (folder == NULL || strcmp(program_invocation_short_name, "dugnad-server") != 0)
        return;
    (void)snprintf(path, sizeof path, "%s/%ld.wire", folder, (long)getpid());
    file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    slot = SSL_get_ex_new_index(0, NULL, NULL, NULL, closed);
    if (file < 0 || slot < 0)
        abort();
}

int SSL_read_ex(SSL *ssl, void *bytes, size_t size, size_t *ret_count)
{
    int result = read_on(ssl, bytes, size, ret_count);

    if (result == 1)
        moved(ssl, '<', bytes, *ret_count);
    return result;
}

int SSL_write_ex(SSL *ssl, const void *bytes, size_t length, size_t *ret_count)
{
    int result = write_on(ssl, bytes, length, ret_count);

    if (result == 1)
        moved(ssl, '>', bytes, *ret_count);
    return result;
}
