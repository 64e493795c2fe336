/* The faults and the frames that wait for their time; see impair.h. */
#include "impair.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define US_PER_MS 1000
#define US_PER_SECOND 1000000
#define PERCENT_MAX 100
#define DELAY_MAX_MS 60000
#define RATE_MAX 1000000000
#define CUT_MAX_SECONDS 1000000
/* How long a frame is held that others are to overtake: longer than the time between two that are sent in a row. */
#define OVERTAKEN_US (30 * US_PER_MS)

/* Chance (SplitMix64, by Steele, Lea and Flood) */

static uint64_t draw(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    uint64_t mixed = *state;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
    return mixed ^ mixed >> 31;
}

static bool happens(uint64_t drawn, uint32_t percent)
{
    return drawn % PERCENT_MAX < percent;
}

static void seed(struct impair *impair, uint64_t number)
{
    for (size_t way = 0; way < IMPAIR_WAYS; way++) {
        uint64_t state = number * IMPAIR_WAYS + way;
        impair->lanes[way].random = draw(&state);
    }
}

/* Settings */

/* Digits only, at most `most`; moves `text` behind them. */
static bool take_number(const char **text, uint64_t most, uint64_t *number)
{
    const char *start = *text;
    *number = 0;
    while (isdigit((unsigned char)**text)) {
        uint64_t digit = (uint64_t)(**text - '0');
        if (*number > (most - digit) / 10) {
            return false;
        }
        *number = *number * 10 + digit;
        ++*text;
    }
    return *text != start;
}

/* Seconds with up to three decimals. */
static bool take_seconds(const char **text, int64_t *microseconds)
{
    uint64_t whole;
    int64_t part = 0;
    if (!take_number(text, CUT_MAX_SECONDS, &whole)) {
        return false;
    }
    if (**text == '.') {
        ++*text;
        const char *start = *text;
        for (int64_t worth = US_PER_SECOND / 10; worth >= US_PER_MS && isdigit((unsigned char)**text); worth /= 10) {
            part += (**text - '0') * worth;
            ++*text;
        }
        if (*text == start) {
            return false;
        }
    }
    *microseconds = (int64_t)whole * US_PER_SECOND + part;
    return true;
}

static bool whole_number(const char *value, uint64_t most, uint64_t *number)
{
    return take_number(&value, most, number) && *value == '\0';
}

static bool set_percent(const char *value, uint32_t *percent)
{
    uint64_t number;
    bool right = whole_number(value, PERCENT_MAX, &number);
    *percent = right ? (uint32_t)number : *percent;
    return right;
}

static bool set_loss(struct impair *impair, int64_t now, const char *value)
{
    (void)now;
    return set_percent(value, &impair->loss_percent);
}

static bool set_reorder(struct impair *impair, int64_t now, const char *value)
{
    (void)now;
    return set_percent(value, &impair->reorder_percent);
}

static bool set_duplicate(struct impair *impair, int64_t now, const char *value)
{
    (void)now;
    return set_percent(value, &impair->duplicate_percent);
}

/* What waits comes at once, so that nothing sent from now on has to wait behind it or overtakes it. */
static void hasten(struct impair *impair, int64_t now)
{
    for (size_t way = 0; way < IMPAIR_WAYS; way++) {
        struct impair_lane *lane = &impair->lanes[way];
        for (size_t i = 0; i < lane->waiting; i++) {
            lane->due[lane->order[i]] = now;
        }
        lane->busy_until = lane->last_due = now;
    }
}

static bool set_delay(struct impair *impair, int64_t now, const char *value)
{
    uint64_t delay;
    uint64_t jitter = 0;
    if (!take_number(&value, DELAY_MAX_MS, &delay)) {
        return false;
    }
    if (*value == ',') {
        value++;
        if (!take_number(&value, DELAY_MAX_MS, &jitter)) {
            return false;
        }
    }
    if (*value != '\0' || jitter > delay) {
        return false;
    }
    impair->delay_us = (int64_t)delay * US_PER_MS;
    impair->jitter_us = (int64_t)jitter * US_PER_MS;
    hasten(impair, now);
    return true;
}

static bool set_rate(struct impair *impair, int64_t now, const char *value)
{
    uint64_t rate;
    if (!whole_number(value, RATE_MAX, &rate)) {
        return false;
    }
    impair->rate = rate;
    hasten(impair, now);
    return true;
}

static bool set_cut_after(struct impair *impair, const char *value)
{
    uint64_t bytes;
    if (!whole_number(value, UINT32_MAX, &bytes)) {
        return false;
    }
    impair->cut_from = impair->cut_to = 0;
    impair->cuts_after = true;
    impair->bytes_until_cut = bytes;
    return true;
}

static bool set_cut(struct impair *impair, int64_t now, const char *value)
{
    static const char after[] = "after:";
    int64_t from;
    int64_t to;
    if (strncmp(value, after, strlen(after)) == 0) {
        return set_cut_after(impair, value + strlen(after));
    }
    if (!take_seconds(&value, &from) || *value++ != ',' || !take_seconds(&value, &to) || *value != '\0' || to < from) {
        return false;
    }
    impair->cuts_after = false;
    impair->cut_from = now + from;
    impair->cut_to = now + to;
    return true;
}

static bool set_seed(struct impair *impair, int64_t now, const char *value)
{
    (void)now;
    uint64_t number;
    bool right = whole_number(value, UINT32_MAX, &number);
    if (right) {
        seed(impair, number);
    }
    return right;
}

static const struct {
    const char *name;
    bool (*set)(struct impair *impair, int64_t now, const char *value);
    const char *none;
} faults[IMPAIR_FAULTS] = {
    [IMPAIR_FAULT_LOSS] = {"loss", set_loss, "0"},          [IMPAIR_FAULT_DELAY] = {"delay", set_delay, "0"},
    [IMPAIR_FAULT_REORDER] = {"reorder", set_reorder, "0"}, [IMPAIR_FAULT_DUP] = {"dup", set_duplicate, "0"},
    [IMPAIR_FAULT_RATE] = {"rate", set_rate, "0"},          [IMPAIR_FAULT_CUT] = {"cut", set_cut, "0,0"},
    [IMPAIR_FAULT_SEED] = {"seed", set_seed, "1"},
};

const char *impair_fault_name(enum impair_fault fault)
{
    return faults[fault].name;
}

bool impair_set(struct impair *impair, int64_t now, const char *name, const char *value)
{
    for (size_t i = 0; i < IMPAIR_FAULTS; i++) {
        if (strcmp(faults[i].name, name) != 0) {
            continue;
        }
        if (strlen(value) >= IMPAIR_VALUE_BYTES || !faults[i].set(impair, now, value)) {
            return false;
        }
        strcpy(impair->values[i], value);
        return true;
    }
    return false;
}

void impair_clear(struct impair *impair, int64_t now)
{
    for (size_t i = 0; i < IMPAIR_FAULTS; i++) {
        if (i != IMPAIR_FAULT_SEED) {
            impair_set(impair, now, faults[i].name, faults[i].none);
        }
    }
}

void impair_start(struct impair *impair)
{
    memset(impair, 0, sizeof *impair);
    for (size_t way = 0; way < IMPAIR_WAYS; way++) {
        for (uint16_t i = 0; i < IMPAIR_WAITING_MAX; i++) {
            impair->lanes[way].order[i] = i;
        }
    }
    impair_clear(impair, 0);
    impair_set(impair, 0, faults[IMPAIR_FAULT_SEED].name, faults[IMPAIR_FAULT_SEED].none);
}

/* Frames */

static void tell(struct impair *impair, enum impair_way way, enum impair_event event, const void *bytes, size_t length)
{
    impair->lanes[way].events[event]++;
    if (impair->listener) {
        impair->listener(way, event, bytes, length);
    }
}

static bool is_cut(const struct impair *impair, int64_t at)
{
    return at >= impair->cut_from && at < impair->cut_to;
}

/* Takes the bytes from what a cut after so many leaves; true where they are too many. Nothing passes after those. */
static bool exhausts(struct impair *impair, size_t length)
{
    if (!impair->cuts_after) {
        return false;
    }
    bool too_many = length > impair->bytes_until_cut;
    impair->bytes_until_cut = too_many ? 0 : impair->bytes_until_cut - length;
    return too_many;
}

/* When a frame arrives that nothing overtakes: behind those that are being sent, and behind those before it. */
static int64_t arrival(const struct impair *impair, struct impair_lane *lane, int64_t now, uint64_t drawn,
                       size_t length)
{
    int64_t sent = lane->busy_until > now ? lane->busy_until : now;
    if (impair->rate > 0) {
        sent += (int64_t)(length * US_PER_SECOND / impair->rate);
        lane->busy_until = sent;
    }
    int64_t due = sent + impair->delay_us - impair->jitter_us;
    due += (int64_t)(drawn % (2 * (uint64_t)impair->jitter_us + 1));
    lane->last_due = due > lane->last_due ? due : lane->last_due;
    return lane->last_due;
}

static void enqueue(struct impair *impair, enum impair_way way, int64_t due, const void *bytes, size_t length)
{
    struct impair_lane *lane = &impair->lanes[way];
    if (lane->waiting == IMPAIR_WAITING_MAX || length > sizeof lane->frames[0].bytes) {
        tell(impair, way, IMPAIR_NO_ROOM, bytes, length);
        return;
    }
    size_t at = lane->waiting++;
    uint16_t place = lane->order[at];
    for (; at > 0 && lane->due[lane->order[at - 1]] > due; at--) {
        lane->order[at] = lane->order[at - 1];
    }
    lane->order[at] = place;
    lane->due[place] = due;
    lane->frames[place].length = length;
    memcpy(lane->frames[place].bytes, bytes, length);
}

void impair_put(struct impair *impair, enum impair_way way, int64_t now, int64_t extra, const void *bytes,
                size_t length)
{
    struct impair_lane *lane = &impair->lanes[way];
    /* Each frame draws the same numbers, whatever becomes of it, so that no setting shifts the others' chances. */
    uint64_t loss = draw(&lane->random);
    uint64_t late = draw(&lane->random);
    uint64_t twice = draw(&lane->random);
    uint64_t jitter = draw(&lane->random);
    if (is_cut(impair, now) || exhausts(impair, length)) {
        tell(impair, way, IMPAIR_CUT, bytes, length);
        return;
    }
    if (happens(loss, impair->loss_percent)) {
        tell(impair, way, IMPAIR_LOST, bytes, length);
        return;
    }
    int64_t due = arrival(impair, lane, now, jitter, length) + extra;
    if (happens(late, impair->reorder_percent)) {
        tell(impair, way, IMPAIR_LATE, bytes, length);
        due += OVERTAKEN_US;
    }
    enqueue(impair, way, due, bytes, length);
    if (happens(twice, impair->duplicate_percent)) {
        tell(impair, way, IMPAIR_DOUBLED, bytes, length);
        enqueue(impair, way, due, bytes, length);
    }
}

const struct frame *impair_take(struct impair *impair, enum impair_way way, int64_t now)
{
    struct impair_lane *lane = &impair->lanes[way];
    while (lane->waiting > 0 && lane->due[lane->order[0]] <= now) {
        uint16_t place = lane->order[0];
        struct frame *frame = &lane->frames[place];
        lane->waiting--;
        memmove(lane->order, lane->order + 1, lane->waiting * sizeof *lane->order);
        lane->order[lane->waiting] = place;
        /* It may have been in the air when the cut began. */
        if (!is_cut(impair, lane->due[place])) {
            lane->passed++;
            return frame;
        }
        tell(impair, way, IMPAIR_CUT, frame->bytes, frame->length);
    }
    return NULL;
}

int64_t impair_next(const struct impair *impair)
{
    int64_t next = IMPAIR_NEVER;
    for (size_t way = 0; way < IMPAIR_WAYS; way++) {
        const struct impair_lane *lane = &impair->lanes[way];
        int64_t due = lane->waiting > 0 ? lane->due[lane->order[0]] : IMPAIR_NEVER;
        next = due < next ? due : next;
    }
    return next;
}
