noinst_LIBRARIES += libdb.a
libdb_a_CFLAGS = $(STRICT_CFLAGS)
libdb_a_SOURCES = \
	%D%/outputs.c %D%/outputs.h \
	%D%/publish.h \
	%D%/query.h \
	%D%/store.c %D%/store.h \
	%D%/work.c %D%/work.h \
	%D%/sqlite/failure.c %D%/sqlite/failure.h \
	%D%/sqlite/load.c %D%/sqlite/load.h \
	%D%/sqlite/migrate.c %D%/sqlite/migrate.h \
	%D%/sqlite/check.c %D%/sqlite/check.h \
	%D%/sqlite/check_rules.c %D%/sqlite/check_values.c \
	%D%/sqlite/collect.c \
	%D%/sqlite/publish.c %D%/sqlite/publish.h \
	%D%/sqlite/publish_apps.c %D%/sqlite/publish_batches.c \
	%D%/sqlite/publish_files.c %D%/sqlite/publish_people.c \
	%D%/sqlite/publish_revoked.c %D%/sqlite/publish_site.c \
	%D%/sqlite/publish_units.c \
	%D%/sqlite/query.c %D%/sqlite/query.h \
	%D%/sqlite/rows.c %D%/sqlite/rows.h \
	%D%/sqlite/save.c %D%/sqlite/save.h \
	%D%/sqlite/save_records.c %D%/sqlite/save_units.c \
	%D%/sqlite/scan.c \
	%D%/sqlite/store.c %D%/sqlite/store.h \
	%D%/sqlite/view.c %D%/sqlite/view.h \
	%D%/sqlite/view_apps.c %D%/sqlite/view_batches.c \
	%D%/sqlite/view_explain.c %D%/sqlite/view_files.c \
	%D%/sqlite/view_results.c %D%/sqlite/view_site.c \
	%D%/sqlite/view_units.c
nodist_libdb_a_SOURCES = %D%/schema.c

# Migrations, in order; the program carries them.
DB_MIGRATIONS = %D%/schema/0001_site.sql
EXTRA_DIST += $(DB_MIGRATIONS) %D%/schema/embed.awk
CLEANFILES += %D%/schema.c
%D%/schema.c: $(DB_MIGRATIONS) %D%/schema/embed.awk
	$(AM_V_GEN)$(MKDIR_P) %D% && cd $(srcdir) && \
	LC_ALL=C $(AWK) -f %D%/schema/embed.awk $(DB_MIGRATIONS) > $(abs_builddir)/$@.new && \
	mv $(abs_builddir)/$@.new $(abs_builddir)/$@
