noinst_LIBRARIES += libdb.a
libdb_a_CFLAGS = $(STRICT_CFLAGS)
libdb_a_SOURCES = %D%/publish.h %D%/query.h %D%/store.h %D%/work.h
