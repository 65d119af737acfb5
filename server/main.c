/* dugnad-server: the server of one site. */
#include "common/env/real.h"
#include "server/site/verbs.h"

int main(int argc, char **argv)
{
    return program_run(&server_program, env_real(), argc, (const char *const *)argv);
}
