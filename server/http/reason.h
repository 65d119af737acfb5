/* The words HTTP has for its status codes: "Not Found". */
#ifndef SERVER_HTTP_REASON_H
#define SERVER_HTTP_REASON_H

/* Static; "Status" for a code that is not in the list. */
const char *http_reason(int status);

#endif
