#include "bench/lane.h"

#include <string.h>
#include <sys/epoll.h>

#include "bench/world/clock.h"

#define REQUEST_ROOM (2 * 1024 * 1024) /* besides an output's bytes */
#define READ_BYTES   (16 * 1024)
#define AGAIN_US     20000 /* more with each attempt */
#define DRAWS_MAX    64    /* hosts looked at for one that has something to do */
#define SLOW_ONE_IN  10

void lane_init(struct lane *lane, struct lane_world *world, struct actor *hosts, size_t count,
               int64_t output_bytes)
{
    *lane = (struct lane){
        .world = world, .hosts = hosts, .host_count = count, .chance = hosts[0].number};
    buffer_init(&lane->out, REQUEST_ROOM + (size_t)output_bytes);
    buffer_init(&lane->in, RESPONSE_HEAD_MAX + RESPONSE_BODY_MAX + READ_BYTES);
}

void lane_clear(struct lane *lane)
{
    dial_close(&lane->dial);
    turn_clear(&lane->turn);
    buffer_clear(&lane->out);
    buffer_clear(&lane->in);
}

bool lane_is_busy(const struct lane *lane)
{
    return lane->turn.step != TURN_OVER;
}

bool lane_is_filled(const struct lane *lane)
{
    return lane->filled == lane->host_count;
}

static bool has_something_to_do(struct lane *lane, const struct actor *host)
{
    if (host->character == CHARACTER_VANISHING)
        return false;
    return host->character != CHARACTER_SLOW || chance_next(&lane->chance) % SLOW_ONE_IN == 0;
}

static struct actor *draw(struct lane *lane)
{
    if (!lane_is_filled(lane))
        return &lane->hosts[lane->filled++];
    for (int i = 0; i < DRAWS_MAX; i++) {
        struct actor *host = &lane->hosts[chance_next(&lane->chance) % lane->host_count];

        if (has_something_to_do(lane, host))
            return host;
    }
    return NULL;
}

/* --- failing -----------------------------------------------------------------------------------*/

static void give_up(struct lane *lane, const struct error *why)
{
    struct lane_world *world = lane->world;

    world->kit.figures->failed++;
    if (world->first_failure.status == STATUS_OK)
        world->first_failure = *why;
    lane->turn.step = TURN_OVER;
}

static void send_again(struct lane *lane, int64_t now_us, const struct error *why)
{
    lane->sent = 0;
    buffer_reset(&lane->in);
    if (++lane->attempts > LANE_ATTEMPTS_MAX) {
        give_up(lane, why);
        return;
    }
    lane->world->kit.figures->repeated++;
    lane->again_us = now_us + (int64_t)lane->attempts * AGAIN_US;
}

static void hang_up(struct lane *lane)
{
    dial_close(&lane->dial);
    buffer_reset(&lane->in);
}

/* What was sent may have been done: the same bytes again are answered the same. */
static void break_off(struct lane *lane, int64_t now_us)
{
    struct error why = {0};

    dial_explain(&lane->dial, &why);
    hang_up(lane);
    if (lane_is_busy(lane))
        send_again(lane, now_us, &why);
}

/* --- getting on --------------------------------------------------------------------------------*/

static bool prepare(struct lane *lane)
{
    struct error err = {0};

    buffer_reset(&lane->out);
    lane->sent = 0;
    lane->attempts = 0;
    lane->again_us = 0;
    if (turn_request(&lane->turn, &lane->world->kit, &lane->out, &err) == STATUS_OK)
        return true;
    give_up(lane, &err);
    return false;
}

static bool connect_to(struct lane *lane, int64_t now_us)
{
    struct lane_world *world = lane->world;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.ptr = lane};
    struct error err = {0};

    if (dial_open(&lane->dial, world->target, world->context, &err) != STATUS_OK) {
        lane->dial = (struct dial){0};
        send_again(lane, now_us, &err);
        return false;
    }
    world->kit.figures->connections++;
    if (epoll_ctl(world->epoll, EPOLL_CTL_ADD, lane->dial.descriptor, &event) != 0)
        abort();
    return true;
}

static enum dial_result send_rest(struct lane *lane)
{
    while (lane->sent < lane->out.length) {
        size_t count;
        enum dial_result result = dial_send(&lane->dial, lane->out.bytes + lane->sent,
                                            lane->out.length - lane->sent, &count);

        if (result != DIAL_DONE)
            return result;
        lane->sent += count;
        lane->world->kit.figures->bytes_out += (int64_t)count;
    }
    return DIAL_DONE;
}

static void end_turn(struct lane *lane)
{
    if (lane->world->is_fresh)
        hang_up(lane);
}

static void take_response(struct lane *lane, const struct response *response, int64_t now_us)
{
    struct kit *kit = &lane->world->kit;
    enum turn_step step = lane->turn.step;
    struct error err = {0};
    enum status status = turn_answer(&lane->turn, kit, response, &err);

    if (status == STATUS_BUSY) {
        send_again(lane, now_us, &err);
        return;
    }
    if (status != STATUS_OK) {
        give_up(lane, &err);
        return;
    }
    if (step == TURN_VISIT)
        histogram_add(&kit->figures->visit_us, clock_mono_us() - lane->due_us);
    if (lane_is_busy(lane))
        (void)prepare(lane);
}

/* Whatever is there of the answer. DIAL_DONE: it was whole, and was taken. */
static enum dial_result receive(struct lane *lane, int64_t now_us)
{
    struct response response;
    struct error err = {0};
    size_t count, used = 0;

    while (used == 0) {
        char *room = buffer_reserve(&lane->in, READ_BYTES);
        enum dial_result result =
            room != NULL ? dial_receive(&lane->dial, room, READ_BYTES, &count) : DIAL_BROKEN;

        if (result != DIAL_DONE)
            return result;
        buffer_commit(&lane->in, count);
        lane->world->kit.figures->bytes_in += (int64_t)count;
        if (response_read(lane->in.bytes, lane->in.length, &response, &used, &err) != STATUS_OK) {
            give_up(lane, &err);
            return DIAL_BROKEN;
        }
    }
    take_response(lane, &response, now_us);
    buffer_consume(&lane->in, used);
    if (response.ends_connection)
        hang_up(lane);
    return DIAL_DONE;
}

/* One step; false: nothing more without waiting. */
static bool step(struct lane *lane, int64_t now_us)
{
    enum dial_result result = DIAL_DONE;

    if (lane->dial.state == DIAL_CLOSED && !connect_to(lane, now_us))
        return false;
    if (lane->dial.state != DIAL_OPEN)
        result = dial_advance(&lane->dial);
    if (result == DIAL_DONE)
        result = send_rest(lane);
    if (result == DIAL_DONE)
        result = receive(lane, now_us);
    if (result == DIAL_BROKEN)
        break_off(lane, now_us);
    return result == DIAL_DONE;
}

/* The server closed an idle connection, or said something nobody asked for. */
static void listen_idly(struct lane *lane)
{
    char byte;
    size_t count;

    if (lane->dial.state == DIAL_OPEN && dial_receive(&lane->dial, &byte, 1, &count) != DIAL_WAIT)
        hang_up(lane);
}

void lane_move(struct lane *lane, int64_t now_us)
{
    if (!lane_is_busy(lane)) {
        listen_idly(lane);
        return;
    }
    if (lane->again_us > now_us)
        return;
    lane->again_us = 0;
    while (lane_is_busy(lane) && lane->again_us == 0 && step(lane, now_us))
        ;
    if (!lane_is_busy(lane))
        end_turn(lane);
}

bool lane_begin(struct lane *lane, int64_t due_us)
{
    struct actor *host = draw(lane);

    if (host == NULL)
        return false;
    turn_begin(&lane->turn, host);
    lane->due_us = due_us;
    return prepare(lane);
}
