# Turns migrations into C: each file becomes an array of its lines. Run with LC_ALL=C; `prefix` is
# what the names begin with.
BEGIN {
    print "/* Generated from db/schema/ by embed.awk. */"
    print "#include \"db/sql/migration.h\""
    print "#include <stddef.h>"
}
FNR == 1 {
    if (count > 0)
        print "    NULL,\n};"
    name = FILENAME
    sub(/.*\//, "", name)
    sub(/\.sql$/, "", name)
    names[++count] = name
    printf "static const char *const lines_%d[] = {\n", count
}
{
    gsub(/\\/, "\\\\")
    gsub(/"/, "\\\"")
    printf "    \"%s\\n\",\n", $0
}
END {
    if (count > 0)
        print "    NULL,\n};"
    print "const struct migration " prefix "migrations[] = {"
    for (i = 1; i <= count; i++)
        printf "    {.name = \"%s\", .lines = lines_%d},\n", names[i], i
    print "};"
    printf "const int %smigration_count = %d;\n", prefix, count
}
