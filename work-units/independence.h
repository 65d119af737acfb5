/* What no two tasks of a unit may share. Stored: never renumber. */
#ifndef WORK_UNITS_INDEPENDENCE_H
#define WORK_UNITS_INDEPENDENCE_H

enum independence {
    INDEPENDENCE_HOST = 1,
    INDEPENDENCE_VOLUNTEER = 2,
    INDEPENDENCE_ORGANISATION = 3,
};

#endif
