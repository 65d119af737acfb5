# Sample apps: ordinary programs, linked against nothing of ours; primes includes the header for apps. Never sanitised: a sanitiser's
# shadow memory does not fit under the limits that a task runs with.
noinst_PROGRAMS += %D%/primes/primes %D%/wordindex/wordindex
%C%_primes_primes_SOURCES = %D%/primes/primes.c
%C%_primes_primes_CFLAGS = -std=gnu11 $(WARNINGS) -Wconversion -O2 -I$(srcdir)
%C%_primes_primes_LDFLAGS =
%C%_primes_primes_LDADD =
%C%_wordindex_wordindex_SOURCES = %D%/wordindex/wordindex.c
%C%_wordindex_wordindex_CFLAGS = -std=gnu11 $(WARNINGS) -Wconversion -O2
%C%_wordindex_wordindex_LDFLAGS =
%C%_wordindex_wordindex_LDADD =
EXTRA_DIST += \
	%D%/primes/README.md %D%/primes/check \
	%D%/wordindex/README.md %D%/wordindex/corpus %D%/wordindex/merge %D%/wordindex/check
