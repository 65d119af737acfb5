/* GET /v1/project: who a site says it is, and the envelopes that prove it. */
#ifndef PROTOCOL_PROJECT_H
#define PROTOCOL_PROJECT_H

#include "protocol/words.h"

#define PROJECT_MAX          (4 * 1024 * 1024)
#define PROJECT_NAME_MAX     100
#define PROJECT_KEYRINGS_MAX 64
#define PROJECT_VERSIONS_MAX 8

struct project {
    char name[PROJECT_NAME_MAX + 1];
    struct digest project; /* none: nobody claimed the site by publishing a keyring */
    struct texts keyrings; /* envelopes: version 1, each that changed the root, the newest */
    char *freshness;       /* owned envelope; NULL: none */
    size_t version_count;
    int64_t versions[PROJECT_VERSIONS_MAX]; /* of this protocol that the server speaks */
    int64_t time_s;                         /* the server's clock */
    int64_t upload_max;                     /* bytes of the largest output that it takes */
};

void project_clear(struct project *project);
enum status project_decode(const char *body, size_t length, struct project *ret_project,
                           struct error *err) MUST_USE;
char *project_encode(const struct project *project);
bool project_speaks(const struct project *project, int64_t version);

#endif
