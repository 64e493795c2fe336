/* The non-volatile storage keeps what wm_nvs.h and nvs.h say, over restarts, kills and damage. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "heap.h"
#include "nvs.h"
#include "nvs_file.h"
#include "wm_log.h"
#include "wm_nvs.h"
#include "wm_osal.h"

#define PRIORITY 5
#define FILE_NAME "nvs_test.nvs"
#define KILLS 20
#define BIG_BYTES 4000

static wm_nvs_handle_t open_group(const char *group, wm_nvs_open_mode_t mode)
{
    wm_nvs_handle_t handle;
    CHECK(wm_nvs_open(NULL, group, mode, &handle) == WM_NVS_ERR_OK);
    return handle;
}

static wm_nvs_handle_t fresh(void)
{
    unlink(FILE_NAME);
    CHECK(nvs_start(FILE_NAME));
    return open_group("mqtt", WM_NVS_OP_READ_WRITE);
}

static void expect_text(wm_nvs_handle_t handle, const char *key, const char *text)
{
    char read[64] = "";
    size_t length = sizeof read;
    CHECK(wm_nvs_get_blob(handle, key, read, &length) == WM_NVS_ERR_OK);
    CHECK(length == strlen(text) + 1);
    CHECK_TEXT(read, text);
}

static int set_text(wm_nvs_handle_t handle, const char *key, const char *text)
{
    return wm_nvs_set_blob(handle, key, text, strlen(text) + 1);
}

static int get_any(wm_nvs_handle_t handle, const char *key)
{
    char read[64];
    size_t length = sizeof read;
    return wm_nvs_get_blob(handle, key, read, &length);
}

static void values_are_written_overwritten_and_deleted(void)
{
    wm_nvs_handle_t nvs = fresh();
    CHECK(get_any(nvs, "a") == WM_NVS_ERR_NOT_FOUND);
    CHECK(set_text(nvs, "a", "one") == WM_NVS_ERR_OK);
    CHECK(set_text(nvs, "fifteen letters", "two") == WM_NVS_ERR_OK);
    expect_text(nvs, "a", "one");
    CHECK(set_text(nvs, "a", "a longer one") == WM_NVS_ERR_OK);
    CHECK(set_text(nvs, "a", "1") == WM_NVS_ERR_OK);
    expect_text(nvs, "a", "1");
    expect_text(nvs, "fifteen letters", "two");
    CHECK(wm_nvs_del_key(nvs, "a") == WM_NVS_ERR_OK);
    CHECK(wm_nvs_del_key(nvs, "a") == WM_NVS_ERR_NOT_FOUND);
    CHECK(get_any(nvs, "a") == WM_NVS_ERR_NOT_FOUND);
    expect_text(nvs, "fifteen letters", "two");
    wm_nvs_close(nvs);
}

static void groups_do_not_see_each_other(void)
{
    wm_nvs_handle_t nvs = fresh();
    wm_nvs_handle_t other = open_group("other", WM_NVS_OP_READ_WRITE);
    CHECK(set_text(nvs, "a", "mine") == WM_NVS_ERR_OK);
    CHECK(get_any(other, "a") == WM_NVS_ERR_NOT_FOUND);
    CHECK(set_text(other, "a", "theirs") == WM_NVS_ERR_OK);
    CHECK(wm_nvs_del_key(nvs, "a") == WM_NVS_ERR_OK);
    expect_text(other, "a", "theirs");
    wm_nvs_close(other);
    wm_nvs_close(nvs);
}

static void read_only_handle_only_reads(void)
{
    wm_nvs_handle_t nvs = fresh();
    wm_nvs_handle_t reader = open_group("mqtt", WM_NVS_OP_READ_ONLY);
    CHECK(set_text(nvs, "a", "one") == WM_NVS_ERR_OK);
    CHECK(set_text(reader, "a", "two") == WM_NVS_ERR_READ_ONLY);
    CHECK(wm_nvs_del_key(reader, "a") == WM_NVS_ERR_READ_ONLY);
    expect_text(reader, "a", "one");
    wm_nvs_close(reader);
    wm_nvs_close(nvs);
}

static void size_is_told(void)
{
    wm_nvs_handle_t nvs = fresh();
    wm_nvs_type_t type = WM_NVS_TYPE_ANY;
    size_t size = 0;
    char small[3] = "??";
    CHECK(wm_nvs_get_info(nvs, "a", &type, &size) == WM_NVS_ERR_NOT_FOUND);
    CHECK(set_text(nvs, "a", "four") == WM_NVS_ERR_OK);
    CHECK(wm_nvs_get_info(nvs, "a", &type, &size) == WM_NVS_ERR_OK);
    CHECK(type == WM_NVS_TYPE_BLOB && size == 5);
    size = sizeof small;
    CHECK(wm_nvs_get_blob(nvs, "a", small, &size) == WM_NVS_ERR_VALUE_TOO_LONG);
    CHECK(size == 5);
    CHECK_TEXT(small, "??");
    wm_nvs_close(nvs);
}

static void bad_parameters_are_refused(void)
{
    wm_nvs_handle_t nvs = fresh();
    wm_nvs_handle_t none;
    size_t length = 0;
    CHECK(wm_nvs_open(NULL, "sixteen letters!", WM_NVS_OP_READ_WRITE, &none) == WM_NVS_ERR_INVALID_PARAM);
    CHECK(wm_nvs_open(NULL, NULL, WM_NVS_OP_READ_WRITE, &none) == WM_NVS_ERR_INVALID_PARAM);
    CHECK(wm_nvs_open(NULL, "mqtt", WM_NVS_OP_MAX, &none) == WM_NVS_ERR_INVALID_PARAM);
    CHECK(wm_nvs_open("none", "mqtt", WM_NVS_OP_READ_WRITE, &none) == WM_NVS_ERR_NOT_FOUND);
    CHECK(set_text(nvs, "sixteen letters!", "x") == WM_NVS_ERR_INVALID_PARAM);
    CHECK(set_text(nvs, "", "x") == WM_NVS_ERR_INVALID_PARAM);
    CHECK(wm_nvs_set_blob(nvs, "a", NULL, 1) == WM_NVS_ERR_INVALID_PARAM);
    CHECK(wm_nvs_get_blob(nvs, "a", NULL, &length) == WM_NVS_ERR_INVALID_PARAM);
    CHECK(wm_nvs_get_blob(nvs, "a", &none, &length) == WM_NVS_ERR_INVALID_PARAM);
    CHECK(wm_nvs_close(nvs) == WM_NVS_ERR_OK);
    CHECK(wm_nvs_close(nvs) == WM_NVS_ERR_INVALID_HANDLE);
    CHECK(set_text(nvs, "a", "x") == WM_NVS_ERR_INVALID_HANDLE);
    CHECK(get_any(nvs, "a") == WM_NVS_ERR_INVALID_HANDLE);
    CHECK(wm_nvs_close(NULL) == WM_NVS_ERR_INVALID_PARAM);
}

static void handles_are_limited_and_cost_heap(void)
{
    wm_nvs_handle_t open[WM_NVS_MAX_HANDLE_NUM];
    wm_nvs_handle_t one_more;
    size_t blocks = heap_get_figures().blocks;
    CHECK(nvs_start(FILE_NAME));
    for (size_t i = 0; i < WM_NVS_MAX_HANDLE_NUM; i++) {
        open[i] = open_group("mqtt", WM_NVS_OP_READ_ONLY);
    }
    CHECK(wm_nvs_open(NULL, "mqtt", WM_NVS_OP_READ_ONLY, &one_more) == WM_NVS_ERR_FAIL);
    for (size_t i = 0; i < WM_NVS_MAX_HANDLE_NUM; i++) {
        CHECK(wm_nvs_close(open[i]) == WM_NVS_ERR_OK);
    }
    CHECK(heap_get_figures().blocks == blocks);
    heap_set_limit(heap_get_figures().used);
    CHECK(wm_nvs_open(NULL, "mqtt", WM_NVS_OP_READ_ONLY, &one_more) == WM_NVS_ERR_NO_MEM);
    heap_set_limit(HEAP_DEFAULT_LIMIT);
}

/* Seven blobs of this size fill the partition's usable sectors. */
static void full_storage_keeps_what_it_has(void)
{
    static char big[BIG_BYTES];
    wm_nvs_handle_t nvs = fresh();
    char key[] = "a";
    for (; wm_nvs_set_blob(nvs, key, big, sizeof big) == WM_NVS_ERR_OK; key[0]++) {
        big[0]++;
    }
    CHECK(key[0] >= 'g' && key[0] <= 'h');
    CHECK(wm_nvs_set_blob(nvs, key, big, sizeof big) == WM_NVS_ERR_NO_SPACE);
    big[0]++;
    CHECK(wm_nvs_set_blob(nvs, "a", big, sizeof big) == WM_NVS_ERR_NO_SPACE);
    CHECK(wm_nvs_del_key(nvs, "b") == WM_NVS_ERR_OK);
    CHECK(wm_nvs_set_blob(nvs, "a", big, sizeof big) == WM_NVS_ERR_OK);
    wm_nvs_close(nvs);
}

static void file_keeps_values(void)
{
    wm_nvs_handle_t nvs = fresh();
    CHECK(set_text(nvs, "a", "one") == WM_NVS_ERR_OK);
    CHECK(set_text(nvs, "b", "two") == WM_NVS_ERR_OK);
    CHECK(nvs_start(FILE_NAME));
    expect_text(nvs, "a", "one");
    expect_text(nvs, "b", "two");
    wm_nvs_close(nvs);
}

static size_t slurp(unsigned char *bytes, size_t size)
{
    FILE *file = fopen(FILE_NAME, "rb");
    CHECK(file);
    size_t length = fread(bytes, 1, size, file);
    fclose(file);
    return length;
}

static void spit(const unsigned char *bytes, size_t length)
{
    FILE *file = fopen(FILE_NAME, "wb");
    CHECK(file && fwrite(bytes, 1, length, file) == length && fclose(file) == 0);
}

static void expect_empty(wm_nvs_handle_t nvs)
{
    CHECK(nvs_start(FILE_NAME));
    CHECK(get_any(nvs, "a") == WM_NVS_ERR_NOT_FOUND);
    CHECK(get_any(nvs, "b") == WM_NVS_ERR_NOT_FOUND);
}

static void damaged_file_is_an_empty_storage(void)
{
    unsigned char whole[512];
    wm_nvs_handle_t nvs = fresh();
    CHECK(set_text(nvs, "a", "one") == WM_NVS_ERR_OK && set_text(nvs, "b", "two") == WM_NVS_ERR_OK);
    size_t length = slurp(whole, sizeof whole);
    wm_log_set_level(WM_LOG_LEVEL_NONE);
    for (size_t i = 0; i < length; i++) {
        spit(whole, i);
        expect_empty(nvs);
        whole[i] ^= 0x40;
        spit(whole, length);
        expect_empty(nvs);
        whole[i] ^= 0x40;
    }
    wm_log_set_level(WM_LOG_LEVEL_WARN);
    CHECK(set_text(nvs, "a", "three") == WM_NVS_ERR_OK && nvs_start(FILE_NAME));
    expect_text(nvs, "a", "three");
    wm_nvs_close(nvs);
}

/* A folder in the new file's place makes the write fail. */
static void failed_write_changes_nothing(void)
{
    wm_nvs_handle_t nvs = fresh();
    CHECK(set_text(nvs, "a", "one") == WM_NVS_ERR_OK);
    CHECK(mkdir(FILE_NAME ".new", 0700) == 0);
    wm_log_set_level(WM_LOG_LEVEL_NONE);
    CHECK(set_text(nvs, "a", "two") == WM_NVS_ERR_FAIL);
    CHECK(wm_nvs_del_key(nvs, "a") == WM_NVS_ERR_FAIL);
    wm_log_set_level(WM_LOG_LEVEL_WARN);
    CHECK(rmdir(FILE_NAME ".new") == 0);
    expect_text(nvs, "a", "one");
    CHECK(nvs_start(FILE_NAME));
    expect_text(nvs, "a", "one");
    wm_nvs_close(nvs);
}

/* Other processes: this program with an argument. */

static pid_t start_self(const char *role)
{
    pid_t child = fork();
    if (child == 0) {
        execl("/proc/self/exe", "nvs_test", role, (char *)NULL);
        _exit(EXIT_FAILURE);
    }
    return child;
}

static _Noreturn void write_for_ever(void)
{
    static char big[BIG_BYTES];
    CHECK(nvs_start(FILE_NAME));
    wm_nvs_handle_t nvs = open_group("mqtt", WM_NVS_OP_READ_WRITE);
    for (;;) {
        memset(big, big[0] + 1, sizeof big);
        CHECK(wm_nvs_set_blob(nvs, "big", big, sizeof big) == WM_NVS_ERR_OK);
    }
}

static void killed_writer_leaves_a_whole_value(void)
{
    static char big[BIG_BYTES];
    wm_nvs_handle_t nvs = fresh();
    CHECK(wm_nvs_set_blob(nvs, "big", big, sizeof big) == WM_NVS_ERR_OK);
    for (int i = 0; i < KILLS; i++) {
        pid_t child = start_self("writer");
        usleep(50000 + 997 * (unsigned)i);
        CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
        size_t length = sizeof big;
        CHECK(nvs_start(FILE_NAME));
        CHECK(wm_nvs_get_blob(nvs, "big", big, &length) == WM_NVS_ERR_OK && length == sizeof big);
        CHECK(memcmp(big, big + 1, sizeof big - 1) == 0);
    }
    wm_nvs_close(nvs);
}

static int read_inherited(void)
{
    CHECK(nvs_start(NULL));
    wm_nvs_handle_t nvs = open_group("mqtt", WM_NVS_OP_READ_ONLY);
    expect_text(nvs, "a", "kept");
    wm_nvs_close(nvs);
    return EXIT_SUCCESS;
}

static void memory_outlasts_an_exec(void)
{
    int status;
    CHECK(nvs_start(NULL));
    wm_nvs_handle_t nvs = open_group("mqtt", WM_NVS_OP_READ_WRITE);
    CHECK(get_any(nvs, "a") == WM_NVS_ERR_NOT_FOUND);
    CHECK(set_text(nvs, "a", "long before") == WM_NVS_ERR_OK);
    CHECK(set_text(nvs, "a", "kept") == WM_NVS_ERR_OK);
    nvs_file_keep_over_exec();
    pid_t child = start_self("reader");
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS);
    wm_nvs_close(nvs);
}

int main(int argc, char **argv)
{
    static const struct test tests[] = {
        TEST(values_are_written_overwritten_and_deleted),
        TEST(groups_do_not_see_each_other),
        TEST(read_only_handle_only_reads),
        TEST(size_is_told),
        TEST(bad_parameters_are_refused),
        TEST(handles_are_limited_and_cost_heap),
        TEST(full_storage_keeps_what_it_has),
        TEST(file_keeps_values),
        TEST(damaged_file_is_an_empty_storage),
        TEST(failed_write_changes_nothing),
        TEST(killed_writer_leaves_a_whole_value),
        TEST(memory_outlasts_an_exec),
    };
    if (argc > 1 && strcmp(argv[1], "writer") == 0) {
        write_for_ever();
    }
    if (argc > 1 && strcmp(argv[1], "reader") == 0) {
        return read_inherited();
    }
    return run_tests(tests, sizeof tests / sizeof *tests, PRIORITY);
}
