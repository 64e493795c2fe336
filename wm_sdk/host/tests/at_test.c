/*
 * The AT server on a line that the test plays. The tests run below the server's tasks: what was typed has been dealt
 * with when `type` returns, as far as it does not wait for something.
 */
#include "atcmd.h"
#include "check.h"
#include "wm_atcmd.h"

#define BELOW_THE_SERVER 3
#define LINE_BYTES 4096
#define OK "\r\nOK\r\n"
#define FORMAT_ERR "\r\nCMD FORMAT ERR\r\n"
#define PARSE_ERR "\r\nCMD PARSE ERR\r\n"

/* The line */

static struct {
    char typed[LINE_BYTES];
    size_t typed_count;
    size_t read_count;
    wm_os_sem_t *arrived;
    char printed[LINE_BYTES];
    size_t printed_count;
    int pieces;
} line;

static int line_send(const void *buffer, int size)
{
    CHECK(line.printed_count + (size_t)size < LINE_BYTES);
    memcpy(line.printed + line.printed_count, buffer, (size_t)size);
    line.printed_count += (size_t)size;
    line.printed[line.printed_count] = '\0';
    line.pieces++;
    return size;
}

static int line_recv(void *buffer, int *size, int timeout)
{
    uint32_t wait_ms = timeout == AT_WAITING_FOREVER ? WM_OS_WAIT_TIME_MAX : (uint32_t)timeout;
    if (line.read_count == line.typed_count && wm_os_internal_sem_acquire_ms(line.arrived, wait_ms) != 0) {
        return 0;
    }
    size_t count = line.typed_count - line.read_count;
    count = count < (size_t)*size ? count : (size_t)*size;
    memcpy(buffer, line.typed + line.read_count, count);
    line.read_count += count;
    return (int)count;
}

static void type_bytes(const char *bytes, size_t count)
{
    if (line.read_count == line.typed_count) {
        line.read_count = line.typed_count = 0;
    }
    CHECK(line.typed_count + count <= LINE_BYTES);
    memcpy(line.typed + line.typed_count, bytes, count);
    line.typed_count += count;
    wm_os_internal_sem_release(line.arrived);
}

static void type(const char *text)
{
    type_bytes(text, strlen(text));
}

static const char *printed(void)
{
    static char taken[LINE_BYTES];
    memcpy(taken, line.printed, line.printed_count + 1);
    line.printed_count = 0;
    line.printed[0] = '\0';
    line.pieces = 0;
    return taken;
}

static void wait_ms(uint32_t ms)
{
    wm_os_internal_time_delay_ms(ms);
}

/* Commands */

static int cmd_at(wm_at_type_e type, int argc, char **argv)
{
    (void)type;
    (void)argc;
    (void)argv;
    return WM_AT_RESULT_OK;
}
WM_ATCMD_DEFINE("AT", cmd_at, NULL)

/* Shows what it was called with. */
static int cmd_args(wm_at_type_e type, int argc, char **argv)
{
    CHECK(argv[argc] == NULL);
    wm_atcmd_print_result("%d:%d", type, argc);
    for (int i = 0; i < argc; i++) {
        wm_atcmd_print_result("[%s]", argv[i]);
    }
    return WM_AT_RESULT_NULL;
}
WM_ATCMD_DEFINE("AT+ARGS", cmd_args, NULL)

static int cmd_joined(wm_at_type_e type, int argc, char **argv)
{
    (void)type;
    for (int i = 0; i < argc; i++) {
        wm_atcmd_print_result("%s%s", i ? "," : "", argv[i]);
    }
    return WM_AT_RESULT_NULL;
}
WM_ATCMD_DEFINE("AT+JOINED", cmd_joined, "AT+JOINED=<any>")

static int cmd_result(wm_at_type_e type, int argc, char **argv)
{
    (void)type;
    return argc == 1 ? atoi(argv[0]) : WM_AT_RESULT_FAIL;
}
WM_ATCMD_DEFINE("AT+RESULT", cmd_result, NULL)

static wm_os_sem_t *go_on;

static int cmd_slow(wm_at_type_e type, int argc, char **argv)
{
    (void)type;
    (void)argc;
    (void)argv;
    wm_atcmd_print_result("slow ");
    wm_os_internal_sem_acquire(go_on, WM_OS_WAIT_TIME_MAX);
    wm_atcmd_print_result("done\r\n");
    return WM_AT_RESULT_OK;
}
WM_ATCMD_DEFINE("AT+SLOW", cmd_slow, NULL)

static struct {
    int wanted;
    char bytes[LINE_BYTES];
    int count;
    int chunks;
    int ends;
    int reason;
    wm_os_task_t told_in;
    wm_os_task_t taken_in;
    bool fail;
    bool wait;
} data;

static int take(void *buffer, int size, void *priv)
{
    CHECK(priv == &data && size > 0 && size <= 512);
    if (data.wait) {
        wm_os_internal_sem_acquire(go_on, WM_OS_WAIT_TIME_MAX);
    }
    int room = data.wanted - data.count;
    int taken = size < room ? size : room;
    memcpy(data.bytes + data.count, buffer, (size_t)taken);
    data.count += taken;
    data.chunks++;
    data.taken_in = wm_os_internal_task_id();
    if (data.count == data.wanted) {
        wm_atcmd_exit_passthrough(WM_ATCMD_EXIT_REASON_USER_ACTIVE);
        wm_atcmd_print_result("taken\r\n");
    }
    return data.fail ? -1 : taken;
}

static int ended(wm_atcmd_exit_passthrough_reason_e reason, void *priv)
{
    CHECK(priv == &data);
    data.ends++;
    data.reason = reason;
    data.told_in = wm_os_internal_task_id();
    return 0;
}

/* AT+DATA=<length>[,<idle ms>] */
static int cmd_data(wm_at_type_e type, int argc, char **argv)
{
    (void)type;
    bool fail = data.fail;
    bool wait = data.wait;
    memset(&data, 0, sizeof data);
    data.fail = fail;
    data.wait = wait;
    data.wanted = atoi(argv[0]);
    CHECK(wm_atcmd_enter_passthrough(take, ended, &data, argc > 1 ? (uint32_t)atoi(argv[1]) : 0) == WM_ERR_SUCCESS);
    CHECK(wm_atcmd_enter_passthrough(take, ended, &data, 0) == WM_ERR_BUSY);
    wm_atcmd_print_result(">");
    return WM_AT_RESULT_NULL;
}
WM_ATCMD_DEFINE("AT+DATA", cmd_data, NULL)

/* Tests */

static void use_style(enum at_argv_style style)
{
    struct atcmd_options options = {.argv_style = style};
    atcmd_configure(&options);
}

static void start_server(void)
{
    wm_os_internal_sem_create(&line.arrived, 0);
    wm_os_internal_sem_create(&go_on, 0);
    use_style(AT_ARGV_DECODED);
    CHECK(wm_atcmd_init() == WM_ERR_SUCCESS);
    wm_dev_ops_t ops = {.atcmd_send = line_send, .atcmd_recv = line_recv};
    wm_atcmd_dev_register(WM_ATCMD_DEV_TYPE_UART, ops);
    CHECK_TEXT(printed(), "");
}

static const char *answer(const char *typed)
{
    type(typed);
    return printed();
}

static void lines_end_with_lf(void)
{
    CHECK_TEXT(answer("AT\r\n"), OK);
    CHECK_TEXT(answer("AT\n"), OK);
    CHECK_TEXT(answer("\r\n\n\r\n"), "");
    CHECK_TEXT(answer("A"), "");
    CHECK_TEXT(answer("T\r"), "");
    CHECK_TEXT(answer("\n"), OK);
    CHECK_TEXT(answer("AT\r\nAT\r\nAT\r\n"), OK OK OK);
}

static void forms_reach_the_handler(void)
{
    CHECK_TEXT(answer("AT+ARGS?\r\n"), "0:0");
    CHECK_TEXT(answer("AT+ARGS=?\r\n"), "1:0");
    CHECK_TEXT(answer("AT+ARGS\r\n"), "2:0");
    CHECK_TEXT(answer("AT+ARGS=\r\n"), "2:1[]");
    CHECK_TEXT(answer("at+args=Ab\r\n"), "2:1[Ab]");
    CHECK_TEXT(answer("AT+JOINED=?\r\n"), "AT+JOINED=<any>\r\n" OK);
}

static void results_become_last_lines(void)
{
    CHECK_TEXT(answer("AT+RESULT=0\r\n"), OK);
    CHECK_TEXT(answer("AT+RESULT=1\r\n"), "\r\nERROR\r\n");
    CHECK_TEXT(answer("AT+RESULT=2\r\n"), "");
    CHECK_TEXT(answer("AT+RESULT=3\r\n"), FORMAT_ERR);
    type("AT+RESULT=4\r\n");
    CHECK(line.pieces == 1);
    CHECK_TEXT(printed(), PARSE_ERR);
}

static void unknown_commands_are_refused(void)
{
    CHECK_TEXT(answer("XT\r\n"), FORMAT_ERR);
    CHECK_TEXT(answer("AT+NOPE=1\r\n"), FORMAT_ERR);
    CHECK_TEXT(answer("AT+NOPE=\"1\r\n"), FORMAT_ERR);
    CHECK_TEXT(answer("AT+ARGS?x\r\n"), FORMAT_ERR);
    CHECK_TEXT(answer("AT+ARG\r\n"), FORMAT_ERR);
    CHECK_TEXT(answer("AT+ARGSX\r\n"), FORMAT_ERR);
}

static void decoded_parameters_have_no_quotes(void)
{
    CHECK_TEXT(answer("AT+ARGS=1,\"a\\,b\\\"c\\\\d\",,x\\y\r\n"), "2:4[1][a,b\"c\\d][][x\\y]");
    CHECK_TEXT(answer("AT+ARGS=\"a,b\",\"\",\r\n"), "2:3[a,b][][]");
    CHECK_TEXT(answer("AT+ARGS=a\"b\"c\r\n"), "2:1[a\"b\"c]");
    CHECK_TEXT(answer("AT+ARGS=\"a\"b,c\r\n"), PARSE_ERR);
    CHECK_TEXT(answer("AT+ARGS=\"a\r\n"), PARSE_ERR);
    CHECK_TEXT(answer("AT+ARGS=\"a\\\"\r\n"), PARSE_ERR);
    CHECK_TEXT(answer("AT+ARGS=\"a\\\r\n"), PARSE_ERR);
}

static void raw_parameters_are_as_typed(void)
{
    use_style(AT_ARGV_RAW);
    CHECK_TEXT(answer("AT+ARGS=1,\"a\\,b\\\"c,d\",,x\r\n"), "2:4[1][\"a\\,b\\\"c,d\"][][x]");
    CHECK_TEXT(answer("AT+JOINED=0,\"t\",\"{\"a\":1,\"b\":2}\",1,0,\r\n"), "0,\"t\",\"{\"a\":1,\"b\":2}\",1,0,");
    CHECK_TEXT(answer("AT+JOINED=\"\\\\\",\"x\\\r\n"), PARSE_ERR);
    CHECK_TEXT(answer("AT+JOINED=a\\,b\\\r\n"), "a\\,b\\");
    use_style(AT_ARGV_DECODED);
}

static void strict_server_refuses_what_is_unusual(void)
{
    use_style(AT_ARGV_STRICT);
    CHECK_TEXT(answer("AT+ARGS=1,\"a,b\",\"\",,x\\y\r\n"), "2:5[1][a,b][][][x\\y]");
    CHECK_TEXT(answer("AT+JOINED=?\r\n"), "AT+JOINED=<any>\r\n" OK);
    CHECK_TEXT(answer("AT+ARGS=\"a\r\n"), PARSE_ERR);
    CHECK_TEXT(answer("AT+ARGS=\"a\\\"b\"\r\n"), PARSE_ERR);
    CHECK_TEXT(answer("AT+ARGS=\"a\\\"b\\\"c\"\r\n"), PARSE_ERR);
    CHECK_TEXT(answer("AT+ARGS=a\"b\"c\r\n"), PARSE_ERR);
    CHECK_TEXT(answer("AT+ARGS=\"a\"b,c\r\n"), PARSE_ERR);
    CHECK_TEXT(answer("AT+RESULT=1,2,3,4,5,6,7,8\r\n"), "\r\nERROR\r\n");
    CHECK_TEXT(answer("AT+RESULT=1,2,3,4,5,6,7,8,9\r\n"), PARSE_ERR);
    CHECK_TEXT(answer("AT+NOPE=\"1\r\n"), FORMAT_ERR);
    use_style(AT_ARGV_DECODED);
}

/* The longest line that the server reads, its end included, and one byte more. */
static void line_ends_at(size_t bytes)
{
    char text[AT_CMD_RECV_BUFF_LEN + 2];
    memset(text, 'x', sizeof text);
    memcpy(text, "AT+RESULT=", 10);
    memcpy(text + bytes - 2, "\r\n", 3);
    CHECK_TEXT(answer(text), OK);
    memset(text, 'x', sizeof text);
    memcpy(text, "AT+RESULT=", 10);
    memcpy(text + bytes - 1, "\r\n", 3);
    CHECK_TEXT(answer(text), PARSE_ERR);
}

static void limits_hold(void)
{
    char long_line[600];
    CHECK_TEXT(answer("AT+RESULT=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20\r\n"), "\r\nERROR\r\n");
    CHECK_TEXT(answer("AT+RESULT=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21\r\n"), PARSE_ERR);
    type_bytes("AT+ARGS=a\0b\r\n", 13);
    CHECK_TEXT(printed(), PARSE_ERR);

    line_ends_at(AT_CMD_RECV_BUFF_LEN);
    use_style(AT_ARGV_STRICT);
    line_ends_at(150);
    use_style(AT_ARGV_DECODED);
    memset(long_line, 'x', sizeof long_line);
    memcpy(long_line + sizeof long_line - 3, "\r\n", 3);
    CHECK_TEXT(answer(long_line), PARSE_ERR);
    CHECK_TEXT(answer("AT\r\n"), OK);

    memset(long_line, 'x', sizeof long_line);
    long_line[sizeof long_line - 1] = '\0';
    wm_atcmd_print_result("%s", long_line);
    CHECK(strlen(printed()) == AT_RESULT_BUFFER_SIZE - 1);
}

static void echo_shows_whole_lines(void)
{
    atcmd_set_echo(true);
    CHECK_TEXT(answer("AT+AR"), "");
    CHECK_TEXT(answer("GS=\"a\"\r\n"), "AT+ARGS=\"a\"\r\n2:1[a]");
    atcmd_set_echo(false);
    CHECK_TEXT(answer("AT\r\n"), OK);
}

static void lines_during_a_command_are_dropped(void)
{
    type("AT+SLOW\r\nAT\r\n");
    wait_ms(2);
    type("AT+ARGS\r\n");
    wait_ms(2);
    CHECK_TEXT(line.printed, "slow ");
    wm_os_internal_sem_release(go_on);
    CHECK_TEXT(printed(), "slow done\r\n" OK "busy ...\r\nbusy ...\r\n");
    CHECK_TEXT(answer("AT\r\n"), OK);
}

static void strict_server_drops_lines_in_silence(void)
{
    use_style(AT_ARGV_STRICT);
    type("AT+SLOW\r\nAT\r\nAT+ARGS\r\n");
    wait_ms(2);
    wm_os_internal_sem_release(go_on);
    CHECK_TEXT(printed(), "slow done\r\n" OK);
    CHECK_TEXT(answer("AT\r\n"), OK);
    use_style(AT_ARGV_DECODED);
}

static void data_goes_to_the_taker_and_the_rest_is_read_as_lines(void)
{
    type("AT+DATA=5\r\nhelloAT\r\nA");
    CHECK_TEXT(printed(), ">taken\r\n" OK);
    CHECK(data.count == 5 && memcmp(data.bytes, "hello", 5) == 0);
    CHECK(data.ends == 1 && data.reason == WM_ATCMD_EXIT_REASON_USER_ACTIVE && data.told_in == data.taken_in);
    CHECK_TEXT(answer("T\r\n"), OK);
}

static void data_comes_in_pieces_of_any_content(void)
{
    char block[1500];
    for (size_t i = 0; i < sizeof block; i++) {
        block[i] = (char)(i * 7);
    }
    type("AT+DATA=1500\r\n");
    type_bytes(block, 700);
    type_bytes(block + 700, 1);
    type_bytes(block + 701, sizeof block - 701);
    CHECK_TEXT(printed(), ">taken\r\n");
    CHECK(data.count == 1500 && memcmp(data.bytes, block, sizeof block) == 0 && data.chunks >= 4 && data.ends == 1);
}

static void line_waits_for_a_slow_taker(void)
{
    data.wait = true;
    type("AT+DATA=4\r\nab");
    type("cdAT\r\n");
    wait_ms(5);
    CHECK(data.chunks == 0);
    data.wait = false;
    wm_os_internal_sem_release(go_on);
    CHECK_TEXT(printed(), ">taken\r\n" OK);
    CHECK(data.count == 4 && memcmp(data.bytes, "abcd", 4) == 0);
}

static void exit_code_in_silence_ends_the_phase(void)
{
    type("AT+DATA=50\r\nab");
    wait_ms(30);
    type("+");
    type("++");
    CHECK(data.ends == 0);
    wait_ms(40);
    CHECK(data.ends == 1 && data.reason == WM_ATCMD_EXIT_REASON_RECV_EXIT_CODE && data.count == 2);
    printed();
    CHECK_TEXT(answer("AT\r\n"), OK);
}

static void exit_code_without_silence_is_data(void)
{
    type("AT+DATA=9\r\nab");
    type("+++");
    wait_ms(40);
    CHECK(data.count == 5 && data.ends == 0);
    type("+++");
    type("x");
    CHECK(data.count == 9 && memcmp(data.bytes, "ab++++++x", 9) == 0);
    CHECK_TEXT(printed(), ">taken\r\n");

    type("AT+DATA=3\r\n");
    wait_ms(30);
    type("++");
    wait_ms(40);
    CHECK(data.count == 2 && data.ends == 0);
    type("x");
    CHECK_TEXT(printed(), ">taken\r\n");
}

static void silence_ends_the_phase_where_asked(void)
{
    type("AT+DATA=50,300\r\n");
    wait_ms(200);
    type("a");
    wait_ms(200);
    CHECK(data.ends == 0 && data.count == 1);
    wait_ms(250);
    CHECK(data.ends == 1 && data.reason == WM_ATCMD_EXIT_REASON_TIMEOUT && data.told_in == data.taken_in);
    printed();
    CHECK_TEXT(answer("AT\r\n"), OK);
}

static void another_task_may_end_the_phase(void)
{
    type("AT+DATA=50\r\n");
    wait_ms(30);
    type("+");
    wm_atcmd_exit_passthrough(WM_ATCMD_EXIT_REASON_NO_MEM);
    wm_atcmd_exit_passthrough(WM_ATCMD_EXIT_REASON_USER_ACTIVE);
    CHECK(data.ends == 1 && data.reason == WM_ATCMD_EXIT_REASON_NO_MEM && data.told_in != wm_os_internal_task_id());
    printed();
    CHECK_TEXT(answer("\r\n"), FORMAT_ERR);
    CHECK_TEXT(answer("AT\r\n"), OK);
}

static void refusal_by_the_taker_ends_the_phase(void)
{
    data.fail = true;
    type("AT+DATA=50\r\nabcAT\r\n");
    data.fail = false;
    CHECK(data.ends == 1);
    printed();
    CHECK_TEXT(answer("AT\r\n"), OK);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(start_server),
        TEST(lines_end_with_lf),
        TEST(forms_reach_the_handler),
        TEST(results_become_last_lines),
        TEST(unknown_commands_are_refused),
        TEST(decoded_parameters_have_no_quotes),
        TEST(raw_parameters_are_as_typed),
        TEST(strict_server_refuses_what_is_unusual),
        TEST(limits_hold),
        TEST(echo_shows_whole_lines),
        TEST(lines_during_a_command_are_dropped),
        TEST(strict_server_drops_lines_in_silence),
        TEST(data_goes_to_the_taker_and_the_rest_is_read_as_lines),
        TEST(data_comes_in_pieces_of_any_content),
        TEST(line_waits_for_a_slow_taker),
        TEST(exit_code_in_silence_ends_the_phase),
        TEST(exit_code_without_silence_is_data),
        TEST(silence_ends_the_phase_where_asked),
        TEST(another_task_may_end_the_phase),
        TEST(refusal_by_the_taker_ends_the_phase),
    };
    return run_tests(tests, sizeof tests / sizeof *tests, BELOW_THE_SERVER);
}
