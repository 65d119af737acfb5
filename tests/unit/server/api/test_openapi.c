/* docs/openapi.json and the table of routes list the same resources. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/text.h"
#include "protocol/enrolment.h"
#include "protocol/visit.h"
#include "server/api/routes.h"
#include "work-units/app_version.h"
#include "work-units/freshness.h"
#include "work-units/keyring.h"
#include "work-units/notice.h"
#include "work-units/variant.h"
#include "work-units/work_unit.h"

static json_t *document(void)
{
    const char *source = getenv("DUGNAD_SOURCE");
    CLEANUP(freep) char *path = text_format("%s/docs/openapi.json", source != NULL ? source : ".");
    json_error_t err;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &err);

    cr_assert(root != NULL, "%s: %s", path, err.text);
    return root;
}

/* "/v1/files/{hex}" as the routes have it: "/v1/files/{}". */
static void to_pattern(const char *path, char *ret_pattern, size_t size)
{
    size_t length = 0;

    for (; *path != '\0' && length + 1 < size; path++) {
        ret_pattern[length++] = *path;
        if (*path == '{')
            path += strcspn(path, "}") - 1;
    }
    ret_pattern[length] = '\0';
}

/* HEAD goes where GET does. NULL: nowhere. */
static const struct route *routed(const char *method, const char *pattern)
{
    for (size_t i = 0; i < route_count; i++)
        if (strcasecmp(routes[i].method, method) == 0 && strcmp(routes[i].pattern, pattern) == 0)
            return &routes[i];
    return strcasecmp(method, "head") == 0 ? routed("get", pattern) : NULL;
}

static bool is_documented(json_t *paths, const char *wanted, const char *wanted_method)
{
    const char *path;
    json_t *methods;

    json_object_foreach(paths, path, methods)
    {
        char pattern[128];
        const char *method;
        json_t *operation;

        to_pattern(path, pattern, sizeof pattern);
        json_object_foreach(methods, method, operation)
        {
            if (strcmp(pattern, wanted) == 0 && strcasecmp(method, wanted_method) == 0)
                return true;
        }
    }
    return false;
}

Test(openapi, every_documented_operation_has_a_route)
{
    json_auto_t *root = document();
    const char *path;
    json_t *methods;

    json_object_foreach(json_object_get(root, "paths"), path, methods)
    {
        char pattern[128];
        const char *method;
        json_t *operation;

        to_pattern(path, pattern, sizeof pattern);
        json_object_foreach(methods, method, operation)
        {
            cr_expect(routed(method, pattern) != NULL, "%s %s", method, path);
        }
    }
}

Test(openapi, every_route_is_documented)
{
    json_auto_t *root = document();

    json_t *paths = json_object_get(root, "paths");

    for (size_t i = 0; i < route_count; i++) {
        cr_expect(is_documented(paths, routes[i].pattern, routes[i].method), "%s %s",
                  routes[i].method, routes[i].pattern);
        cr_expect(strcmp(routes[i].method, "GET") != 0 ||
                      is_documented(paths, routes[i].pattern, "HEAD"),
                  "HEAD %s", routes[i].pattern);
    }
}

/* Who may: nobody needs to be known where anyone may, and somebody everywhere else. */
Test(openapi, who_may_is_documented_as_it_is)
{
    json_auto_t *root = document();
    const char *path;
    json_t *methods;

    json_object_foreach(json_object_get(root, "paths"), path, methods)
    {
        char pattern[128];
        const char *method;
        json_t *operation;

        to_pattern(path, pattern, sizeof pattern);
        json_object_foreach(methods, method, operation)
        {
            json_t *security = json_object_get(operation, "security");
            const struct route *route = routed(method, pattern);

            cr_expect(route != NULL &&
                          (json_array_size(security) == 0) == (route->access == ACCESS_ANYONE),
                      "%s %s", method, path);
        }
    }
}

/* How often a schema below `node` is that of an envelope with whatever inside. */
static size_t bare_envelopes(json_t *node)
{
    const char *reference = json_string_value(json_object_get(node, "$ref"));
    size_t count = reference != NULL && strcmp(reference, "#/components/schemas/Envelope") == 0;
    const char *name;
    json_t *part;
    size_t i;

    json_object_foreach(node, name, part)
    {
        count += bare_envelopes(part);
    }
    json_array_foreach(node, i, part)
    {
        count += bare_envelopes(part);
    }
    return count;
}

static const char *documented_type(json_t *signed_schema)
{
    json_t *members = json_object_get(signed_schema, "properties");

    return json_string_value(json_object_get(json_object_get(members, "payloadType"), "const"));
}

Test(openapi, every_envelope_says_what_is_inside)
{
    static const char *const types[] = {KEYRING_TYPE,   APP_VERSION_TYPE, VARIANT_TYPE,
                                        WORK_UNIT_TYPE, FRESHNESS_TYPE,   NOTICE_TYPE,
                                        ENROLMENT_TYPE, VISIT_TYPE};
    static const size_t count = sizeof types / sizeof *types;
    json_auto_t *root = document();
    json_t *schemas = json_object_get(json_object_get(root, "components"), "schemas");
    size_t documented = 0;
    const char *name;
    json_t *schema;

    json_object_foreach(schemas, name, schema)
    {
        const char *type = documented_type(schema);

        for (size_t i = 0; type != NULL && i < count; i++)
            documented += strcmp(type, types[i]) == 0;
    }
    cr_expect(eq(sz, documented, count), "each type has one schema");
    cr_expect(eq(sz, bare_envelopes(root), count), "and no other place is of any type");
}

Test(routes, the_first_that_fits_is_taken_and_nothing_fits_twice)
{
    struct http_segments segments;
    char allow[ROUTES_ALLOW_MAX];
    const struct route *route = routes_find("GET", "/v1/batches/by-name/units", &segments, allow);

    cr_assert(route != NULL);
    cr_expect(eq(str, (char *)route->pattern, "/v1/batches/by-name/{}"));
    cr_expect(eq(str, segments.at[0].text, "units"));
    for (size_t i = 0; i < route_count; i++)
        for (size_t j = i + 1; j < route_count; j++)
            cr_expect(strcmp(routes[i].method, routes[j].method) != 0 ||
                      strcmp(routes[i].pattern, routes[j].pattern) != 0);
}

Test(routes, a_wrong_method_learns_the_right_ones)
{
    struct http_segments segments;
    char allow[ROUTES_ALLOW_MAX];

    cr_expect(routes_find("PATCH", "/v1/batches", &segments, allow) == NULL);
    cr_expect(eq(str, allow, "POST, GET, HEAD"));
    cr_expect(routes_find("GET", "/v1/none", &segments, allow) == NULL);
    cr_expect(eq(str, allow, ""));
    cr_expect(routes_find("HEAD", "/v1/project", &segments, allow) != NULL);
}
