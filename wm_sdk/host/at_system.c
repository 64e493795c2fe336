/* The commands of the chip as a whole: its echo, version, restart, storage, memory and serial line. */
#include <stdio.h>

#include "at_handlers.h"
#include "at_values.h"
#include "atcmd.h"
#include "heap.h"
#include "nvs.h"
#include "settings.h"
#include "uart.h"
#include "wm_utils.h"

#define BAUD_MIN 300
#define BAUD_MAX 4000000
#define BAUD_DEFAULT 115200
#define DATA_BITS 8

int at(wm_at_type_e type, int argc, char **argv)
{
    (void)argv;
    return is_plain(type, argc) ? WM_AT_RESULT_OK : WM_AT_RESULT_FAIL;
}

int at_echo_off(wm_at_type_e type, int argc, char **argv)
{
    atcmd_set_echo(false);
    return at(type, argc, argv);
}

int at_echo_on(wm_at_type_e type, int argc, char **argv)
{
    atcmd_set_echo(true);
    return at(type, argc, argv);
}

int at_version(wm_at_type_e type, int argc, char **argv)
{
    if (is_plain(type, argc)) {
        atcmd_print("AT version:2.x (virtual W800)\r\nSDK version:2.x\r\ncompile time:-\r\n");
    }
    return at(type, argc, argv);
}

int at_restart(wm_at_type_e type, int argc, char **argv)
{
    (void)argv;
    if (!is_plain(type, argc)) {
        return WM_AT_RESULT_FAIL;
    }
    atcmd_print("\r\nOK\r\n");
    wm_system_reboot();
    return WM_AT_RESULT_NULL;
}

int at_restore(wm_at_type_e type, int argc, char **argv)
{
    if (!is_plain(type, argc) || !nvs_clear()) {
        return WM_AT_RESULT_FAIL;
    }
    return at_restart(type, argc, argv);
}

int at_store(wm_at_type_e type, int argc, char **argv)
{
    long store = settings.store;
    int result = at_number("SYSSTORE", type, argc, argv, &store, 0, 1);
    settings.store = store;
    return result;
}

int at_ram(wm_at_type_e type, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    if (type != AT_TYPE_QUERY) {
        return WM_AT_RESULT_FAIL;
    }
    struct heap_figures heap = heap_get_figures();
    wm_atcmd_print_result("+SYSRAM:%zu,%zu\r\n", heap.limit - heap.used, heap.limit - heap.peak);
    return WM_AT_RESULT_OK;
}

/* Behind the answer, which has the old pace to its last byte. */
static void change_pace(void)
{
    uart_drain();
    uart_set_pace(settings.baud);
}

/* Stop bits, parity and flow control, with the most that each may be. They change nothing here. */
static long line_form[] = {1, 0, 0};
static const long line_form_max[] = {3, 2, 3};
#define LINE_FORMS 3

static bool read_line_form(char **argv, long form[LINE_FORMS])
{
    for (int i = 0; i < LINE_FORMS; i++) {
        if (!number_of(argv[i], &form[i]) || form[i] < (i == 0 ? 1 : 0) || form[i] > line_form_max[i]) {
            return false;
        }
    }
    return true;
}

int at_uart(wm_at_type_e type, int argc, char **argv)
{
    long baud;
    long data_bits;
    long form[LINE_FORMS];
    if (type == AT_TYPE_QUERY) {
        uint32_t pace = uart_pace() ? uart_pace() : BAUD_DEFAULT;
        wm_atcmd_print_result("+UART_DEF:%u,%d,%ld,%ld,%ld\r\n", pace, DATA_BITS, line_form[0], line_form[1],
                              line_form[2]);
        return WM_AT_RESULT_OK;
    }
    if (type != AT_TYPE_EXEC || argc != 2 + LINE_FORMS || !number_of(argv[0], &baud) || baud < BAUD_MIN ||
        baud > BAUD_MAX || !number_of(argv[1], &data_bits) || data_bits != DATA_BITS ||
        !read_line_form(argv + 2, form)) {
        return WM_AT_RESULT_FAIL;
    }
    for (int i = 0; i < LINE_FORMS; i++) {
        line_form[i] = form[i];
    }
    settings.baud = (uint32_t)baud;
    atcmd_after_answer(change_pace);
    return settings_keep(SETTING_BAUD) ? WM_AT_RESULT_OK : WM_AT_RESULT_FAIL;
}
