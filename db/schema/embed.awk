# Turns migrations into C: each file becomes an array of its lines. Run with LC_ALL=C.
BEGIN {
    print "/* Generated from db/schema/ by embed.awk. */"
    print "#include \"db/sqlite/migrate.h\""
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
    print "const struct migration migrations[] = {"
    for (i = 1; i <= count; i++)
        printf "    {.name = \"%s\", .lines = lines_%d},\n", names[i], i
    print "};"
    printf "const int migration_count = %d;\n", count
}
