libtestsupport_a_SOURCES += %D%/ending.h
libtestsupport_a_SOURCES += %D%/fake_env.c %D%/fake_env.h
libtestsupport_a_SOURCES += %D%/database.c %D%/database.h
libtestsupport_a_SOURCES += %D%/failing_disk.c %D%/failing_disk.h
if HAVE_CRITERION
libtestsupport_a_SOURCES += %D%/running.c %D%/running.h
libtestsupport_a_SOURCES += %D%/asking.c %D%/asking.h
libtestsupport_a_SOURCES += %D%/raw_site.c %D%/raw_site.h
libtestsupport_a_SOURCES += %D%/results.c %D%/results.h
libtestsupport_a_SOURCES += %D%/web_certificate.c %D%/web_certificate.h
libtestsupport_a_SOURCES += %D%/web_client.c %D%/web_client.h
libtestsupport_a_SOURCES += %D%/web_server.c %D%/web_server.h
libtestsupport_a_SOURCES += %D%/grid.c %D%/grid.h %D%/grid_work.c
libtestsupport_a_SOURCES += %D%/messages.c %D%/messages.h
libtestsupport_a_SOURCES += %D%/memory_site.c %D%/memory_site.h
libtestsupport_a_SOURCES += %D%/desk.c %D%/desk.h
libtestsupport_a_SOURCES += %D%/quick_scrypt.c %D%/quick_scrypt.h
libtestsupport_a_SOURCES += %D%/trial.c %D%/trial.h
libtestsupport_a_SOURCES += %D%/terminal.c %D%/terminal.h
endif
libtestsupport_a_SOURCES += %D%/sample.c %D%/sample.h
libtestsupport_a_SOURCES += %D%/site.c %D%/site.h %D%/site_work.c %D%/site_work.h
libtestsupport_a_SOURCES += %D%/many_units.c %D%/many_units.h
libtestsupport_a_SOURCES += %D%/made_site.c %D%/made_site.h
libtestsupport_a_SOURCES += %D%/village.c %D%/village.h %D%/village_store.c
libtestsupport_a_SOURCES += %D%/fake_launcher.c %D%/fake_launcher.h %D%/fake_net.c %D%/fake_net.h
libtestsupport_a_SOURCES += %D%/fake_site.c %D%/fake_site.h %D%/fake_site_files.c
libtestsupport_a_SOURCES += %D%/fake_tls.c %D%/fake_tls.h
libtestsupport_a_SOURCES += %D%/fake_site_parts.h %D%/fake_site_visit.c
libtestsupport_a_SOURCES += %D%/volunteer.c %D%/volunteer.h
EXTRA_DIST += %D%/with-postgres package.json %D%/tus_upload.mjs
noinst_PROGRAMS += tests/support/lying-client
tests_support_lying_client_SOURCES = %D%/lying_client.c
tests_support_lying_client_LDADD = $(CLIENT_LIBS)
# Preloaded into a server by scenarios. Without sanitisers: whoever is preloaded comes before their runtime.
noinst_PROGRAMS += tests/support/wire-recorder.so
tests_support_wire_recorder_so_SOURCES = %D%/wire_recorder.c
tests_support_wire_recorder_so_CFLAGS = -std=gnu11 $(WARNINGS) -fPIC
tests_support_wire_recorder_so_LDFLAGS = -shared
tests_support_wire_recorder_so_LDADD = -ldl
