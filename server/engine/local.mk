libserver_a_SOURCES += \
	%D%/command.h %D%/engine.h %D%/published.h %D%/thread.h
