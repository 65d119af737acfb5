libserver_a_SOURCES += \
	%D%/folder.c \
	%D%/owned.c %D%/owned.h \
	%D%/sidecar.c %D%/sidecar.h \
	%D%/store.c %D%/store.h \
	%D%/upload_table.h \
	%D%/upload_writer.c \
	%D%/uploads.c %D%/uploads.h
