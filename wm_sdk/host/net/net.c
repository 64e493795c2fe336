/*
 * The board's side of the network: starts the radio and the stack on it, which is lwIP here or, where the simulated
 * processor executes a whole image, lwIP there.
 */
#include "net.h"

#include <stdio.h>
#include <string.h>

#include "wm_osal.h"

#include "addresses.h"
#include "hosts.h"
#include "interface.h"
#include "radio.h"
#include "virtual_servers.h"

#define FAULT_NAME_BYTES 16

static int link_up(uint32_t timeout_ms)
{
    interface_associate();
    return addresses_await(timeout_ms, NULL, NULL);
}

static const struct net_stack native_stack = {
    .start = interface_start,
    .link_up = link_up,
    .link_down = interface_link_down,
    .address = interface_address,
    .sntp_start = interface_sntp_start,
    .sntp_stop = interface_sntp_stop,
};

static struct hosts hosts;
static wm_os_sem_t *frames_waiting;
static const struct net_stack *stack;

static void on_receive(void)
{
    wm_os_internal_sem_release(frames_waiting);
}

void interface_wait_for_frames(void)
{
    wm_os_internal_sem_acquire_ms(frames_waiting, WM_OS_WAIT_TIME_MAX);
}

static int parse_hosts(const struct net_options *options)
{
    for (size_t i = 0; i < options->hosts_count; i++) {
        const char *reason = hosts_add(&hosts, options->open, options->hosts[i]);
        if (reason != NULL) {
            fprintf(stderr, "hosts: \"%s\": %s\n", options->hosts[i], reason);
            return -1;
        }
    }
    return 0;
}

static int set_fault(const char *entry)
{
    char name[FAULT_NAME_BYTES] = "";
    size_t length = strcspn(entry, "=");
    const char *value = entry[length] == '=' ? entry + length + 1 : "";
    memcpy(name, entry, length < sizeof name ? length : sizeof name - 1);
    if (radio_set_fault(name, value)) {
        return 0;
    }
    fprintf(stderr, "--net-%s cannot be \"%s\"\n", name, value);
    return -1;
}

static int set_faults(const struct net_options *options)
{
    radio_faults_start();
    for (size_t i = 0; i < options->faults_count; i++) {
        if (set_fault(options->faults[i]) != 0) {
            return -1;
        }
    }
    return 0;
}

int net_start(const struct net_options *options)
{
    if (parse_hosts(options) != 0 || set_faults(options) != 0) {
        return -1;
    }
    virtual_servers_set_time_server(options->time_server_port);
    stack = options->stack ? options->stack : &native_stack;
    if (wm_os_internal_sem_create(&frames_waiting, 0) != WM_OS_STATUS_SUCCESS || stack->start() != 0) {
        fprintf(stderr, "virtual network: no memory for the Wi-Fi task\n");
        return -1;
    }
    return radio_start(&hosts, options->open, on_receive);
}

int net_link_up(uint32_t timeout_ms)
{
    return stack->link_up(timeout_ms);
}

void net_associate(void)
{
    if (interface_runs()) {
        interface_associate();
    }
}

int net_await_address(uint32_t timeout_ms, bool (*goes_on)(void *), void *context)
{
    return interface_runs() ? addresses_await(timeout_ms, goes_on, context) : stack->link_up(timeout_ms);
}

void net_link_down(void)
{
    stack->link_down();
}

char *net_address(char *buffer, size_t length)
{
    return stack->address(buffer, length);
}

void net_get_addresses(struct net_addresses *addresses)
{
    addresses_get(addresses);
    net_address(addresses->ip, sizeof addresses->ip);
}

int net_sntp_start(const char *const *servers, size_t count, net_time_listener listener)
{
    virtual_servers_know_time_servers(servers, count);
    return stack->sntp_start(servers, count, listener);
}

void net_sntp_stop(void)
{
    stack->sntp_stop();
}

void net_sntp_set_interval(uint32_t seconds)
{
    interface_sntp_set_interval(seconds);
}

void net_stop(void)
{
    radio_set_link(false);
    radio_stop();
}
