noinst_LIBRARIES += libdb.a
libdb_a_CFLAGS = $(STRICT_CFLAGS)
libdb_a_SOURCES = \
	%D%/copy.h \
	%D%/outputs.c %D%/outputs.h \
	%D%/publish.h \
	%D%/query.h \
	%D%/store.c %D%/store.h \
	%D%/work.c %D%/work.h \
	%D%/sql/check.c %D%/sql/check.h \
	%D%/sql/check_rules.c %D%/sql/check_values.c \
	%D%/sql/copy.c \
	%D%/sql/collect.c %D%/sql/collect.h \
	%D%/sql/forget.c \
	%D%/sql/ids.c %D%/sql/ids.h \
	%D%/sql/load.c \
	%D%/sql/migration.c %D%/sql/migration.h \
	%D%/sql/publish.c %D%/sql/publish.h \
	%D%/sql/publish_apps.c %D%/sql/publish_batches.c \
	%D%/sql/publish_files.c %D%/sql/publish_people.c \
	%D%/sql/publish_revoked.c %D%/sql/publish_site.c \
	%D%/sql/publish_units.c \
	%D%/sql/query.c %D%/sql/query.h \
	%D%/sql/rows.c %D%/sql/rows.h \
	%D%/sql/saving.c %D%/sql/saving.h \
	%D%/sql/scan.c \
	%D%/sql/slice.h \
	%D%/sql/store.c %D%/sql/store.h \
	%D%/sql/tables.c \
	%D%/sql/tables_of.c %D%/sql/tables_of.h \
	%D%/sql/view.c %D%/sql/view.h \
	%D%/sql/view_apps.c %D%/sql/view_batches.c \
	%D%/sql/view_explain.c %D%/sql/view_files.c \
	%D%/sql/view_results.c %D%/sql/view_site.c \
	%D%/sql/view_servers.c %D%/sql/view_units.c \
	%D%/sql/work.h \
	%D%/postgres/array.c %D%/postgres/array.h \
	%D%/postgres/bulk.c %D%/postgres/bulk.h \
	%D%/postgres/check.c \
	%D%/postgres/driver.c %D%/postgres/driver.h \
	%D%/postgres/failure.c %D%/postgres/failure.h \
	%D%/postgres/find.c \
	%D%/postgres/insert.c \
	%D%/postgres/migrate.c %D%/postgres/migrate.h \
	%D%/postgres/save.c %D%/postgres/save.h \
	%D%/postgres/save_ends.c %D%/postgres/save_records.c \
	%D%/postgres/save_units.c \
	%D%/postgres/sets.c %D%/postgres/sets.h \
	%D%/postgres/statement.c %D%/postgres/statement.h \
	%D%/postgres/store.c %D%/postgres/store.h \
	%D%/postgres/units.c \
	%D%/sqlite/check.c \
	%D%/sqlite/driver.c \
	%D%/sqlite/find.c \
	%D%/sqlite/insert.c \
	%D%/sqlite/failure.c %D%/sqlite/failure.h \
	%D%/sqlite/migrate.c %D%/sqlite/migrate.h \
	%D%/sqlite/schema.c %D%/sqlite/schema.h \
	%D%/sqlite/save.c %D%/sqlite/save.h \
	%D%/sqlite/save_records.c %D%/sqlite/save_units.c \
	%D%/sqlite/store.c %D%/sqlite/store.h
nodist_libdb_a_SOURCES = %D%/schema.c %D%/schema_postgres.c

# Migrations, in order; the program carries them.
DB_MIGRATIONS = %D%/schema/0001_site.sql
DB_POSTGRES_MIGRATIONS = %D%/schema/postgres/0001_site.sql
EXTRA_DIST += $(DB_MIGRATIONS) $(DB_POSTGRES_MIGRATIONS) %D%/schema/embed.awk
CLEANFILES += %D%/schema.c %D%/schema_postgres.c
%D%/schema.c: $(DB_MIGRATIONS) %D%/schema/embed.awk
	$(AM_V_GEN)$(MKDIR_P) %D% && cd $(srcdir) && \
	LC_ALL=C $(AWK) -v prefix= -f %D%/schema/embed.awk $(DB_MIGRATIONS) \
		> $(abs_builddir)/$@.new && mv $(abs_builddir)/$@.new $(abs_builddir)/$@
%D%/schema_postgres.c: $(DB_POSTGRES_MIGRATIONS) %D%/schema/embed.awk
	$(AM_V_GEN)$(MKDIR_P) %D% && cd $(srcdir) && \
	LC_ALL=C $(AWK) -v prefix=postgres_ -f %D%/schema/embed.awk $(DB_POSTGRES_MIGRATIONS) \
		> $(abs_builddir)/$@.new && mv $(abs_builddir)/$@.new $(abs_builddir)/$@
