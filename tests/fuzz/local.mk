# A fuzz target is fuzz_NAME.c beside this file, defining LLVMFuzzerTestOneInput() of fuzz.h, with at
# least one seed in corpus/NAME/. Add it as the three lines that each target below has.
#
# Configured as usual, a target is a test that replays its corpus (make check). Configured with
# CC=clang --enable-fuzzing, it is a libFuzzer program: `tests/fuzz/fuzz_NAME -max_total_time=60
# CORPUS`; `make fuzz-smoke` gives each of them FUZZ_SECONDS.
FUZZ_TARGETS =
EXTRA_DIST += %D%/corpus %D%/round_trip.h

FUZZ_TARGETS += %D%/fuzz_http_parser
%C%_fuzz_http_parser_SOURCES = %D%/fuzz_http_parser.c $(FUZZ_MAIN)
%C%_fuzz_http_parser_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)

FUZZ_TARGETS += %D%/fuzz_http_proxy
%C%_fuzz_http_proxy_SOURCES = %D%/fuzz_http_proxy.c $(FUZZ_MAIN)
%C%_fuzz_http_proxy_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)

FUZZ_TARGETS += %D%/fuzz_visit
%C%_fuzz_visit_SOURCES = %D%/fuzz_visit.c $(FUZZ_MAIN)
%C%_fuzz_visit_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)

FUZZ_TARGETS += %D%/fuzz_scheduler_request
%C%_fuzz_scheduler_request_SOURCES = %D%/fuzz_scheduler_request.c $(FUZZ_MAIN)
%C%_fuzz_scheduler_request_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)

FUZZ_TARGETS += %D%/fuzz_scheduler_reply
%C%_fuzz_scheduler_reply_SOURCES = %D%/fuzz_scheduler_reply.c $(FUZZ_MAIN)
%C%_fuzz_scheduler_reply_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)

FUZZ_TARGETS += %D%/fuzz_site_config
%C%_fuzz_site_config_SOURCES = %D%/fuzz_site_config.c $(FUZZ_MAIN)
%C%_fuzz_site_config_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)

FUZZ_TARGETS += %D%/fuzz_requests
%C%_fuzz_requests_SOURCES = %D%/fuzz_requests.c $(FUZZ_MAIN)
%C%_fuzz_requests_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)

FUZZ_TARGETS += %D%/fuzz_replies
%C%_fuzz_replies_SOURCES = %D%/fuzz_replies.c $(FUZZ_MAIN)
%C%_fuzz_replies_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)

FUZZ_TARGETS += %D%/fuzz_envelope
%C%_fuzz_envelope_SOURCES = %D%/fuzz_envelope.c $(FUZZ_MAIN)
%C%_fuzz_envelope_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)

FUZZ_TARGETS += %D%/fuzz_profile
%C%_fuzz_profile_SOURCES = %D%/fuzz_profile.c $(FUZZ_MAIN)
%C%_fuzz_profile_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)

FUZZ_TARGETS += %D%/fuzz_manifests
%C%_fuzz_manifests_SOURCES = %D%/fuzz_manifests.c $(FUZZ_MAIN)
%C%_fuzz_manifests_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)

FUZZ_TARGETS += %D%/fuzz_trust_state
%C%_fuzz_trust_state_SOURCES = %D%/fuzz_trust_state.c $(FUZZ_MAIN)
%C%_fuzz_trust_state_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)

FUZZ_TARGETS += %D%/fuzz_client_state
%C%_fuzz_client_state_SOURCES = %D%/fuzz_client_state.c $(FUZZ_MAIN)
%C%_fuzz_client_state_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)

FUZZ_TARGETS += %D%/fuzz_bundle
%C%_fuzz_bundle_SOURCES = %D%/fuzz_bundle.c $(FUZZ_MAIN)
%C%_fuzz_bundle_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)

if FUZZING
FUZZ_MAIN = %D%/fuzz.h
FUZZ_LINK = -fsanitize=fuzzer
noinst_PROGRAMS += $(FUZZ_TARGETS)
else
FUZZ_MAIN = %D%/fuzz.h %D%/replay.c
FUZZ_LINK =
check_PROGRAMS += $(FUZZ_TARGETS)
endif

FUZZ_SECONDS = 10
fuzz-smoke: $(FUZZ_TARGETS)
	for target in $(FUZZ_TARGETS); do name=$${target##*/fuzz_}; \
		mkdir -p fuzz-found/$$name && $$target -max_total_time=$(FUZZ_SECONDS) \
		-artifact_prefix=fuzz-found/$$name- fuzz-found/$$name \
		$(abs_top_srcdir)/tests/fuzz/corpus/$$name || exit 1; done
.PHONY: fuzz-smoke
