/* Tests of the bad network with a clock of their own. Ends the program at a failure. */
#include "impair.h"
#include "tests/check.h"

#define MS 1000
#define SECOND (1000 * MS)
#define FRAMES 1000

void impair_test(void);

static struct impair air;

static void start(const char *name, const char *value)
{
    impair_start(&air);
    CHECK(impair_set(&air, 0, name, value));
}

static void put(int64_t now, uint16_t number)
{
    impair_put(&air, IMPAIR_FROM_BOARD, now, 0, &number, sizeof number);
}

/* The number of the next frame that has arrived, or -1. */
static int take(int64_t now)
{
    uint16_t number;
    const struct frame *frame = impair_take(&air, IMPAIR_FROM_BOARD, now);
    if (frame == NULL) {
        return -1;
    }
    CHECK(frame->length == sizeof number);
    memcpy(&number, frame->bytes, sizeof number);
    return number;
}

static uint32_t count(enum impair_event event)
{
    return air.lanes[IMPAIR_FROM_BOARD].events[event];
}

static void test_without_faults(void)
{
    impair_start(&air);
    for (uint16_t i = 0; i < FRAMES; i++) {
        put(i, i);
        CHECK(impair_next(&air) == i);
        CHECK(take(i) == i && take(i) == -1);
    }
    CHECK(impair_next(&air) == IMPAIR_NEVER);
    CHECK(air.lanes[IMPAIR_FROM_BOARD].passed == FRAMES && air.lanes[IMPAIR_TO_BOARD].passed == 0);
}

static void test_a_delay_of_one_frame(void)
{
    impair_start(&air);
    uint16_t number = 1;
    impair_put(&air, IMPAIR_FROM_BOARD, 0, 50 * MS, &number, sizeof number);
    put(0, 2);
    CHECK(take(0) == 2 && take(50 * MS - 1) == -1);
    CHECK(impair_next(&air) == 50 * MS);
    CHECK(take(50 * MS) == 1);
}

/* Which of a row of frames arrive, as bits. */
static void losses(const char *number, uint8_t *arrived, bool other_way_too)
{
    start("loss", "20");
    CHECK(impair_set(&air, 0, "seed", number));
    for (uint16_t i = 0; i < FRAMES; i++) {
        if (other_way_too) {
            impair_put(&air, IMPAIR_TO_BOARD, 0, 0, "x", 1);
            impair_take(&air, IMPAIR_TO_BOARD, 0);
        }
        put(0, i);
        arrived[i] = take(0) == i;
    }
}

static void test_loss_is_repeatable(void)
{
    static uint8_t first[FRAMES];
    static uint8_t second[FRAMES];
    losses("7", first, false);
    uint32_t lost = count(IMPAIR_LOST);
    CHECK(lost > FRAMES * 16 / 100 && lost < FRAMES * 24 / 100);
    losses("7", second, true);
    CHECK(memcmp(first, second, sizeof first) == 0);
    losses("8", second, false);
    CHECK(memcmp(first, second, sizeof first) != 0);
}

static void test_all_and_none_are_lost(void)
{
    start("loss", "100");
    for (uint16_t i = 0; i < FRAMES; i++) {
        put(0, i);
        CHECK(take(0) == -1);
    }
    CHECK(impair_set(&air, 0, "loss", "0"));
    put(0, 1);
    CHECK(take(0) == 1);
}

/* The fate of a frame does not depend on which other faults are set. */
static void test_faults_are_independent(void)
{
    static uint8_t first[FRAMES];
    losses("7", first, false);
    start("loss", "20");
    CHECK(impair_set(&air, 0, "seed", "7") && impair_set(&air, 0, "dup", "50"));
    for (uint16_t i = 0; i < FRAMES; i++) {
        put(0, i);
        bool arrived = take(0) == i;
        CHECK(arrived == first[i]);
        while (take(0) == i) {
        }
    }
    CHECK(count(IMPAIR_DOUBLED) > 0);
}

static void test_delay_and_jitter_keep_the_order(void)
{
    start("delay", "2000,500");
    int64_t earliest = IMPAIR_NEVER;
    int64_t latest = 0;
    for (uint16_t i = 0; i < FRAMES; i++) {
        int64_t now = (int64_t)i * SECOND;
        put(now, i);
        int64_t took = impair_next(&air) - now;
        earliest = took < earliest ? took : earliest;
        latest = took > latest ? took : latest;
        CHECK(take(now + took - 1) == -1);
        CHECK(take(now + took) == i);
    }
    CHECK(earliest >= 1500 * MS && earliest < 1600 * MS && latest <= 2500 * MS && latest > 2400 * MS);

    for (uint16_t i = 0; i < IMPAIR_WAITING_MAX; i++) {
        put((int64_t)FRAMES * SECOND, i);
    }
    for (uint16_t i = 0; i < IMPAIR_WAITING_MAX; i++) {
        CHECK(take((int64_t)(FRAMES + 3) * SECOND) == i);
    }
}

static void test_a_shorter_delay_hurries_what_waits(void)
{
    start("delay", "2000");
    put(0, 1);
    put(1, 2);
    CHECK(impair_set(&air, 10, "delay", "0"));
    put(10, 3);
    CHECK(take(10) == 1 && take(10) == 2 && take(10) == 3);
}

static void test_reordered_frames_are_overtaken_and_come(void)
{
    static bool seen[FRAMES];
    start("reorder", "20");
    int highest = -1;
    uint32_t overtaken = 0;
    uint32_t arrived = 0;
    memset(seen, 0, sizeof seen);
    for (int64_t now = 0; arrived < FRAMES; now += MS) {
        CHECK(now < FRAMES * SECOND);
        if (now / MS < FRAMES) {
            put(now, (uint16_t)(now / MS));
        }
        for (int number; (number = take(now)) >= 0; arrived++) {
            CHECK(!seen[number]);
            seen[number] = true;
            overtaken += number < highest;
            highest = number > highest ? number : highest;
        }
    }
    CHECK(count(IMPAIR_LATE) > FRAMES * 16 / 100 && count(IMPAIR_LATE) < FRAMES * 24 / 100);
    CHECK(overtaken > count(IMPAIR_LATE) * 9 / 10);
}

static void test_doubled_frames(void)
{
    start("dup", "20");
    uint32_t arrived = 0;
    for (uint16_t i = 0; i < FRAMES; i++) {
        put(0, i);
        for (int number; (number = take(0)) >= 0; arrived++) {
            CHECK(number == i);
        }
    }
    CHECK(arrived == FRAMES + count(IMPAIR_DOUBLED));
    CHECK(count(IMPAIR_DOUBLED) > FRAMES * 16 / 100 && count(IMPAIR_DOUBLED) < FRAMES * 24 / 100);
}

/* 100 frames of 100 bytes take 10 s at 1,000 bytes/s; a pause is not made up for; each direction has the rate. */
static void test_rate(void)
{
    static const uint8_t bytes[100];
    start("rate", "1000");
    for (int i = 0; i < 100; i++) {
        impair_put(&air, IMPAIR_FROM_BOARD, 0, 0, bytes, sizeof bytes);
    }
    impair_put(&air, IMPAIR_TO_BOARD, 0, 0, bytes, sizeof bytes);
    CHECK(impair_take(&air, IMPAIR_TO_BOARD, 100 * MS) != NULL);
    for (int i = 1; i <= 100; i++) {
        int64_t due = (int64_t)i * 100 * MS;
        CHECK(impair_next(&air) == due);
        CHECK(impair_take(&air, IMPAIR_FROM_BOARD, due - 1) == NULL);
        CHECK(impair_take(&air, IMPAIR_FROM_BOARD, due) != NULL);
    }
    impair_put(&air, IMPAIR_FROM_BOARD, 60 * SECOND, 0, bytes, sizeof bytes);
    CHECK(impair_next(&air) == 60 * SECOND + 100 * MS);
}

static void test_no_more_than_can_wait(void)
{
    start("rate", "1");
    for (uint16_t i = 0; i < IMPAIR_WAITING_MAX + 5; i++) {
        put(0, i);
    }
    CHECK(count(IMPAIR_NO_ROOM) == 5);
    for (uint16_t i = 0; i < IMPAIR_WAITING_MAX; i++) {
        CHECK(take(FRAMES * SECOND) == i);
    }
    static const uint8_t giant[FRAME_CAPACITY + 1];
    impair_put(&air, IMPAIR_FROM_BOARD, 0, 0, giant, sizeof giant);
    CHECK(count(IMPAIR_NO_ROOM) == 6);
}

static void test_a_cut_in_time(void)
{
    impair_start(&air);
    CHECK(impair_set(&air, 5 * SECOND, "cut", "1,2.5"));
    static const struct {
        int64_t at;
        bool passes;
    } cases[] = {
        {5 * SECOND, true}, {6 * SECOND - 1, true}, {6 * SECOND, false}, {7500 * MS - 1, false}, {7500 * MS, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put(cases[i].at, 9);
        CHECK((take(cases[i].at) == 9) == cases[i].passes);
    }
    CHECK(count(IMPAIR_CUT) == 2);
    CHECK(impair_set(&air, 8 * SECOND, "cut", "0,10"));
    CHECK(impair_set(&air, 8 * SECOND, "cut", "0,0"));
    put(8 * SECOND, 9);
    CHECK(take(8 * SECOND) == 9);
}

/* A frame that is under way when the cut begins is lost, one that arrives before is not. */
static void test_a_cut_meets_frames_in_the_air(void)
{
    start("delay", "500");
    CHECK(impair_set(&air, 0, "cut", "1,2"));
    put(400 * MS, 1);
    put(600 * MS, 2);
    CHECK(take(3 * SECOND) == 1 && take(3 * SECOND) == -1);
    CHECK(count(IMPAIR_CUT) == 1);
}

static void test_a_cut_after_bytes(void)
{
    start("cut", "after:10");
    for (uint16_t i = 0; i < 4; i++) {
        put(0, i);
        CHECK(take(0) == i);
    }
    /* Both directions count together, a frame is never cut in two, and nothing passes behind the one that was too long.
     */
    impair_put(&air, IMPAIR_TO_BOARD, 0, 0, "abc", 3);
    CHECK(impair_take(&air, IMPAIR_TO_BOARD, 0) == NULL);
    put(0, 5);
    CHECK(take(0) == -1);
    impair_clear(&air, 0);
    put(0, 6);
    CHECK(take(0) == 6);
}

static void test_values(void)
{
    static const struct {
        const char *name;
        const char *value;
        bool right;
    } cases[] = {{"loss", "0", true},           {"loss", "100", true},
                 {"loss", "101", false},        {"loss", "", false},
                 {"loss", "-1", false},         {"loss", "5 ", false},
                 {"loss", "5,5", false},        {"delay", "0", true},
                 {"delay", "60000", true},      {"delay", "60001", false},
                 {"delay", "100,100", true},    {"delay", "100,101", false},
                 {"delay", "100,", false},      {"delay", "1.5", false},
                 {"reorder", "3", true},        {"dup", "3", true},
                 {"dup", "300", false},         {"rate", "1000000000", true},
                 {"rate", "1000000001", false}, {"cut", "1", false},
                 {"cut", "1,2", true},          {"cut", "0.25,1.125", true},
                 {"cut", "2,1", false},         {"cut", "1.,2", false},
                 {"cut", "1.2345,2", false},    {"cut", "after:", false},
                 {"cut", "after:x", false},     {"cut", "after:0", true},
                 {"seed", "4294967295", true},  {"seed", "4294967296", false},
                 {"seed", "x", false},          {"", "0", false},
                 {"los", "1", false},           {"rate", "00000000000000000000000001", false}};
    impair_start(&air);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK(impair_set(&air, 0, cases[i].name, cases[i].value) == cases[i].right);
    }
    /* What is refused changes nothing. */
    CHECK_TEXT(air.values[IMPAIR_FAULT_LOSS], "100");
    CHECK(air.loss_percent == 100 && air.delay_us == 100 * MS && air.jitter_us == 100 * MS);
    CHECK_TEXT(air.values[IMPAIR_FAULT_CUT], "after:0");
    impair_clear(&air, 0);
    CHECK(air.loss_percent == 0 && air.delay_us == 0 && air.rate == 0 && !air.cuts_after);
    CHECK_TEXT(air.values[IMPAIR_FAULT_SEED], "4294967295");
}

static uint32_t told[IMPAIR_WAYS][IMPAIR_EVENTS];

static void listen(enum impair_way way, enum impair_event event, const void *bytes, size_t length)
{
    CHECK(bytes != NULL && length > 0);
    told[way][event]++;
}

static void test_the_listener_hears_what_is_counted(void)
{
    start("loss", "10");
    air.listener = listen;
    CHECK(impair_set(&air, 0, "dup", "10") && impair_set(&air, 0, "reorder", "10"));
    for (uint16_t i = 0; i < FRAMES; i++) {
        put(i * MS, i);
        impair_put(&air, IMPAIR_TO_BOARD, i * MS, 0, &i, sizeof i);
        while (take(i * MS) >= 0 || impair_take(&air, IMPAIR_TO_BOARD, i * MS)) {
        }
    }
    for (size_t way = 0; way < IMPAIR_WAYS; way++) {
        CHECK(memcmp(told[way], air.lanes[way].events, sizeof told[way]) == 0);
        CHECK(told[way][IMPAIR_LOST] > 0 && told[way][IMPAIR_DOUBLED] > 0 && told[way][IMPAIR_LATE] > 0);
    }
}

static const struct test tests[] = {
    TEST(test_without_faults),
    TEST(test_a_delay_of_one_frame),
    TEST(test_loss_is_repeatable),
    TEST(test_all_and_none_are_lost),
    TEST(test_faults_are_independent),
    TEST(test_delay_and_jitter_keep_the_order),
    TEST(test_a_shorter_delay_hurries_what_waits),
    TEST(test_reordered_frames_are_overtaken_and_come),
    TEST(test_doubled_frames),
    TEST(test_rate),
    TEST(test_no_more_than_can_wait),
    TEST(test_a_cut_in_time),
    TEST(test_a_cut_meets_frames_in_the_air),
    TEST(test_a_cut_after_bytes),
    TEST(test_values),
    TEST(test_the_listener_hears_what_is_counted),
};

void impair_test(void)
{
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].run();
        printf("ok: %s\n", tests[i].name);
    }
}
