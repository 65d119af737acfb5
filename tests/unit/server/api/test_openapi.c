/* docs/openapi.json and the table of routes list the same resources. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/text.h"
#include "server/api/routes.h"

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
