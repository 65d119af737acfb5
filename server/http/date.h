/* Times as HTTP writes them: "Sun, 06 Nov 1994 08:49:37 GMT". */
#ifndef SERVER_HTTP_DATE_H
#define SERVER_HTTP_DATE_H

#include <stdint.h>

#define HTTP_DATE_SIZE 30 /* with the NUL */

/* Unix seconds; years beyond 0..9999 become the nearest of them. */
void http_date_format(int64_t time_s, char ret_text[HTTP_DATE_SIZE]);

#endif
