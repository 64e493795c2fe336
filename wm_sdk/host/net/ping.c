/* Names and echo requests, by lwIP, for the commands that ask for them. */
#include "net.h"

#include <string.h>

#include "lwip/api.h"
#include "lwip/icmp.h"
#include "lwip/inet_chksum.h"
#include "lwip/prot/ip4.h"
#include "lwip/sockets.h"

/* Any number, by which the answer is known. */
#define ECHO_ID 0x5738
#define DATA_BYTES 32
#define ANSWER_BYTES 128

struct echo {
    struct icmp_echo_hdr header;
    uint8_t data[DATA_BYTES];
};

int net_resolve(const char *name, char address[NET_ADDRESS_BYTES])
{
    ip_addr_t found;
    if (!interface_runs()) {
        return -1;
    }
#if LWIP_IPV6
    err_t result = netconn_gethostbyname_addrtype(name, &found, NETCONN_DNS_IPV4);
#else
    err_t result = netconn_gethostbyname(name, &found);
#endif
    return result == ERR_OK && ip4addr_ntoa_r(ip_2_ip4(&found), address, NET_ADDRESS_BYTES) != NULL ? 0 : -1;
}

static bool send_request(int s, const char *address, uint16_t number)
{
    struct echo request = {.header = {.type = ICMP_ECHO, .id = ECHO_ID, .seqno = lwip_htons(number)}};
    struct sockaddr_in to = {.sin_len = sizeof to, .sin_family = AF_INET};
    request.header.chksum = inet_chksum(&request, sizeof request);
    return lwip_inet_pton(AF_INET, address, &to.sin_addr) == 1 &&
           lwip_sendto(s, &request, sizeof request, 0, (const struct sockaddr *)&to, sizeof to) ==
               (ssize_t)sizeof request;
}

/* A raw socket gets whole packets, those for others too. */
static bool is_answer(const uint8_t *packet, size_t length, uint16_t number)
{
    struct icmp_echo_hdr header;
    size_t skipped = length > 0 ? IPH_HL_BYTES((const struct ip_hdr *)packet) : 0;
    if (length < skipped + sizeof header) {
        return false;
    }
    memcpy(&header, packet + skipped, sizeof header);
    return header.type == ICMP_ER && header.id == ECHO_ID && header.seqno == lwip_htons(number);
}

static bool await_answer(int s, uint16_t number, uint32_t since, uint32_t timeout_ms)
{
    _Alignas(struct ip_hdr) uint8_t packet[ANSWER_BYTES];
    for (;;) {
        uint32_t elapsed = wm_os_internal_get_time_ms() - since;
        if (elapsed >= timeout_ms) {
            return false;
        }
        uint32_t left = timeout_ms - elapsed;
        struct timeval patience = {.tv_sec = left / 1000, .tv_usec = left % 1000 * 1000};
        lwip_setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        ssize_t length = lwip_recv(s, packet, sizeof packet, 0);
        if (length > 0 && is_answer(packet, (size_t)length, number)) {
            return true;
        }
    }
}

int net_ping(const char *host, uint32_t timeout_ms)
{
    static uint16_t number;
    char address[NET_ADDRESS_BYTES];
    if (net_resolve(host, address) != 0) {
        return -1;
    }
    int s = lwip_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    uint32_t since = wm_os_internal_get_time_ms();
    number++;
    bool answered = s >= 0 && send_request(s, address, number) && await_answer(s, number, since, timeout_ms);
    if (s >= 0) {
        lwip_close(s);
    }
    return answered ? (int)(wm_os_internal_get_time_ms() - since) : -1;
}
