#include "protocol/project.h"

#include "protocol/reading.h"
#include "protocol/writer.h"

void project_clear(struct project *project)
{
    texts_clear(&project->keyrings);
    free(project->freshness);
    *project = (struct project){0};
}

bool project_speaks(const struct project *project, int64_t version)
{
    for (size_t i = 0; i < project->version_count; i++)
        if (project->versions[i] == version)
            return true;
    return false;
}

static struct digest read_project(struct members *root)
{
    if (!json_is_null(json_object_get(root->object, "project")))
        return members_digest(root, "project");
    (void)members_json(root, "project");
    return (struct digest){0};
}

static void read_versions(struct members *root, struct project *project)
{
    struct members_list list = members_list(root, "protocol", 1, PROJECT_VERSIONS_MAX);

    for (size_t i = 0; i < list.count; i++)
        project->versions[i] = list_integer(&list, i, 1, 1000);
    project->version_count = list.count;
}

enum status project_decode(const char *body, size_t length, struct project *ret_project,
                           struct error *err)
{
    CLEANUP(project_clear) struct project project = {0};
    json_auto_t *root = NULL;
    struct members members;

    TRY(reply_begin(body, length, PROJECT_MAX, &root, &members, err));
    members_copy_text(&members, "name", project.name, sizeof project.name);
    project.project = read_project(&members);
    project.keyrings = members_offered(&members, "keyrings", PROJECT_KEYRINGS_MAX);
    project.freshness = members_offered_or_null(&members, "freshness");
    read_versions(&members, &project);
    project.time_s = members_time(&members, "time");
    project.upload_max = members_integer(&members, "upload_max", 0, ID_MAX);
    if (!members_failed(&members) &&
        digest_is_none(&project.project) != (project.keyrings.count == 0))
        members_fail(&members, "keyrings", "malformed", "is empty exactly if project is null");
    TRY(members_end(&members));
    GIVE(ret_project, project);
    return STATUS_OK;
}

char *project_encode(const struct project *project)
{
    struct writer writer;

    writer_init(&writer);
    write_text(&writer, "name", project->name);
    if (digest_is_none(&project->project))
        write_null(&writer, "project");
    else
        write_digest(&writer, "project", &project->project);
    write_jsons(&writer, "keyrings", &project->keyrings);
    write_json(&writer, "freshness", project->freshness);
    write_open(&writer, "protocol", '[');
    for (size_t i = 0; i < project->version_count; i++)
        write_integer(&writer, NULL, project->versions[i]);
    write_close(&writer, ']');
    write_integer(&writer, "time", project->time_s);
    write_integer(&writer, "upload_max", project->upload_max);
    return writer_end(&writer);
}
