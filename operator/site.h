/* What the site says of the project, checked against what the profile pinned. */
#ifndef OPERATOR_SITE_H
#define OPERATOR_SITE_H

#include "operator/profile.h"
#include "protocol/project.h"

/* GET /v1/project. STATUS_INVALID: it does not speak our version of the protocol. */
enum status site_ask_project(struct profile *profile, struct project *ret_project,
                             struct error *err) MUST_USE;

/*
 * Begin or continue the chain of trust with these keyrings and freshness. STATUS_UNTRUSTED: it does
 * not lead from the pinned project to what the site shows; the words say why. A site that shows
 * less than the profile knows is warned of, and mended by what is published next (site_behind.h).
 */
enum status site_follow(struct profile *profile, const struct project *project, struct error *err)
    MUST_USE;

/* Both, then save. Without keyrings: STATUS_NOT_FOUND, "publish first". */
enum status site_refresh(struct profile *profile, struct error *err) MUST_USE;

#endif
