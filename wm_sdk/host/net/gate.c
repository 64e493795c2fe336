/* The rules of the closed network; see gate.h. */
#include "gate.h"

#include <stdbool.h>
#include <string.h>

#include "packet.h"

#define ICMP_HEADER 8
#define ICMP_UNREACHABLE 3
#define ICMP_ECHO_REQUEST 8
/* What an ICMP error quotes of a packet behind its IP header. */
#define ICMP_QUOTED 8
#define ICMP_TIME_TO_LIVE 64
#define FRAGMENT_OFFSET 0x1fff
#define DHCP_SERVER_PORT 67

static const uint8_t host[4] = {10, 0, 2, 2};
static const uint8_t own_broadcast[4] = {10, 0, 2, 255};
static const uint8_t any_broadcast[4] = {255, 255, 255, 255};

static bool is(const uint8_t *address, const uint8_t other[4])
{
    return memcmp(address, other, 4) == 0;
}

/* To everybody or to a group: multicast begins with 224, and above it nothing is a host. */
static bool is_for_many(const uint8_t *address)
{
    return address[0] >= 224 || is(address, own_broadcast);
}

static bool is_first_fragment(const uint8_t *ip)
{
    return (read_u16(ip + IPV4_FRAGMENT) & FRAGMENT_OFFSET) == 0;
}

static bool is_dhcp(const uint8_t *ip, size_t header, size_t length)
{
    return ip[IPV4_PROTOCOL] == PROTOCOL_UDP && is_first_fragment(ip) && length >= header + 4 &&
           read_u16(ip + header + 2) == DHCP_SERVER_PORT;
}

/* No ICMP error answers another one, and only a first fragment brings one. */
static bool is_to_be_answered(const uint8_t *ip, size_t header, size_t length)
{
    bool error = ip[IPV4_PROTOCOL] == PROTOCOL_ICMP && length > header && ip[header] != ICMP_ECHO_REQUEST;
    return !error && is_first_fragment(ip);
}

static void write_unreachable(const struct frame *sent, size_t header, struct frame *answer)
{
    const uint8_t *sent_ip = sent->bytes + ETHERNET_HEADER;
    uint8_t *ip = answer->bytes + ETHERNET_HEADER;
    uint8_t *icmp = ip + IPV4_HEADER_MIN;
    size_t quoted = sent->length - ETHERNET_HEADER;
    quoted = quoted < header + ICMP_QUOTED ? quoted : header + ICMP_QUOTED;
    /* The checksum is over whole words; the byte that may be added is 0. */
    size_t icmp_length = (ICMP_HEADER + quoted + 1) / 2 * 2;

    memset(answer->bytes, 0, ETHERNET_HEADER + IPV4_HEADER_MIN + icmp_length);
    memcpy(answer->bytes, sent->bytes, ETHERNET_HEADER);
    swap_bytes(answer->bytes, answer->bytes + 6, 6);
    ip[0] = 0x45;
    write_u16(ip + IPV4_LENGTH, (uint32_t)(IPV4_HEADER_MIN + icmp_length));
    ip[8] = ICMP_TIME_TO_LIVE;
    ip[IPV4_PROTOCOL] = PROTOCOL_ICMP;
    memcpy(ip + IPV4_SOURCE, host, 4);
    memcpy(ip + IPV4_DESTINATION, sent_ip + IPV4_SOURCE, 4);
    write_u16(ip + IPV4_CHECKSUM, internet_checksum(ip, IPV4_HEADER_MIN));
    icmp[0] = ICMP_UNREACHABLE;
    memcpy(icmp + ICMP_HEADER, sent_ip, quoted);
    write_u16(icmp + 2, internet_checksum(icmp, icmp_length));
    answer->length = ETHERNET_HEADER + IPV4_HEADER_MIN + icmp_length;
}

enum gate_verdict gate_judge(const struct frame *sent, struct frame *answer)
{
    if (sent->length >= ETHERNET_HEADER && read_u16(sent->bytes + ETHERNET_TYPE) == ETHERNET_ARP) {
        return GATE_PASS;
    }
    size_t header = ip_header_length(sent->bytes, sent->length);
    if (header == 0) {
        return GATE_DROP;
    }
    const uint8_t *ip = sent->bytes + ETHERNET_HEADER;
    size_t length = sent->length - ETHERNET_HEADER;
    if (is(ip + IPV4_DESTINATION, host)) {
        return GATE_PASS;
    }
    if (is_for_many(ip + IPV4_DESTINATION)) {
        return is(ip + IPV4_DESTINATION, any_broadcast) && is_dhcp(ip, header, length) ? GATE_PASS : GATE_DROP;
    }
    if (!is_to_be_answered(ip, header, length)) {
        return GATE_DROP;
    }
    write_unreachable(sent, header, answer);
    return GATE_ANSWER;
}
