#include "server/http/date.h"

#include <stdio.h>
#include <time.h>

#define YEAR_0_S    INT64_C(-62167219200)
#define YEAR_9999_S INT64_C(253402300799)

/* Not strftime(): that writes the names in the language of the process. */
void http_date_format(int64_t time_s, char ret_text[HTTP_DATE_SIZE])
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int64_t bounded = time_s < YEAR_0_S ? YEAR_0_S : time_s > YEAR_9999_S ? YEAR_9999_S : time_s;
    time_t when = (time_t)bounded;
    struct tm utc;
    unsigned year, day, hour, minute, second;

    (void)gmtime_r(&when, &utc);
    year = (unsigned)(utc.tm_year + 1900) % 10000;
    day = (unsigned)utc.tm_mday % 100;
    hour = (unsigned)utc.tm_hour % 100;
    minute = (unsigned)utc.tm_min % 100;
    second = (unsigned)utc.tm_sec % 100;
    (void)snprintf(ret_text, HTTP_DATE_SIZE, "%s, %02u %s %04u %02u:%02u:%02u GMT",
                   days[utc.tm_wday % 7], day, months[utc.tm_mon % 12], year, hour, minute, second);
}
