/* Tests of what leaves the virtual network, by frames that are judged and never sent. Ends the program at a failure. */
#include "gate.h"
#include "packet.h"
#include "tests/check.h"
#include "virtual_servers.h"

#define BOARD 10, 0, 2, 15
#define TCP_SYN_BYTES 20

void gate_test(void);

static struct frame sent;
static struct frame answer;

/* Of a protocol, to an address and, where the protocol has ports, to a port; `payload` bytes behind the IP header. */
static const struct frame *packet_to(const uint8_t to[4], uint8_t protocol, uint16_t port, size_t payload)
{
    static const uint8_t board[4] = {BOARD};
    uint8_t *ip = sent.bytes + ETHERNET_HEADER;
    memset(&sent, 0, sizeof sent);
    memset(sent.bytes, 0xa0, 6);
    memset(sent.bytes + 6, 0xb0, 6);
    write_u16(sent.bytes + ETHERNET_TYPE, ETHERNET_IPV4);
    ip[0] = 0x45;
    write_u16(ip + IPV4_LENGTH, (uint32_t)(IPV4_HEADER_MIN + payload));
    ip[IPV4_PROTOCOL] = protocol;
    memcpy(ip + IPV4_SOURCE, board, sizeof board);
    memcpy(ip + IPV4_DESTINATION, to, 4);
    write_u16(ip + IPV4_HEADER_MIN, 49152);
    write_u16(ip + IPV4_HEADER_MIN + 2, port);
    sent.length = ETHERNET_HEADER + IPV4_HEADER_MIN + payload;
    return &sent;
}

static void test_addresses(void)
{
    static const struct {
        uint8_t to[4];
        enum gate_verdict verdict;
    } cases[] = {{{10, 0, 2, 2}, GATE_PASS},       {{10, 0, 2, 3}, GATE_ANSWER},      {{10, 0, 2, 99}, GATE_ANSWER},
                 {{10, 0, 2, 15}, GATE_ANSWER},    {{8, 0, 2, 2}, GATE_ANSWER},       {{1, 2, 0, 3}, GATE_ANSWER},
                 {{127, 0, 0, 1}, GATE_ANSWER},    {{0, 0, 0, 0}, GATE_ANSWER},       {{192, 0, 2, 1}, GATE_ANSWER},
                 {{198, 51, 100, 1}, GATE_ANSWER}, {{203, 0, 113, 255}, GATE_ANSWER}, {{10, 0, 3, 2}, GATE_ANSWER},
                 {{224, 0, 0, 22}, GATE_DROP},     {{239, 255, 255, 250}, GATE_DROP}, {{10, 0, 2, 255}, GATE_DROP},
                 {{255, 255, 255, 255}, GATE_DROP}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK(gate_judge(packet_to(cases[i].to, PROTOCOL_TCP, 1883, TCP_SYN_BYTES), &answer) == cases[i].verdict);
        CHECK(gate_judge(packet_to(cases[i].to, PROTOCOL_UDP, 5000, 8), &answer) == cases[i].verdict);
    }
}

static void test_only_dhcp_is_broadcast(void)
{
    static const uint8_t everybody[4] = {255, 255, 255, 255};
    static const uint8_t network[4] = {10, 0, 2, 255};
    CHECK(gate_judge(packet_to(everybody, PROTOCOL_UDP, 67, 300), &answer) == GATE_PASS);
    CHECK(gate_judge(packet_to(everybody, PROTOCOL_UDP, 68, 300), &answer) == GATE_DROP);
    CHECK(gate_judge(packet_to(network, PROTOCOL_UDP, 67, 300), &answer) == GATE_DROP);
    CHECK(gate_judge(packet_to(everybody, PROTOCOL_TCP, 67, 300), &answer) == GATE_DROP);
}

static void test_what_is_no_ipv4(void)
{
    static const uint8_t outside[4] = {203, 0, 113, 1};
    packet_to(outside, PROTOCOL_UDP, 67, 8);
    write_u16(sent.bytes + ETHERNET_TYPE, ETHERNET_ARP);
    CHECK(gate_judge(&sent, &answer) == GATE_PASS);
    write_u16(sent.bytes + ETHERNET_TYPE, 0x86dd);
    CHECK(gate_judge(&sent, &answer) == GATE_DROP);
    write_u16(sent.bytes + ETHERNET_TYPE, ETHERNET_IPV4);
    for (size_t length = 0; length < ETHERNET_HEADER + IPV4_HEADER_MIN; length++) {
        sent.length = length;
        CHECK(gate_judge(&sent, &answer) == GATE_DROP);
    }
    /* A header that is longer than the frame, and one that is too short to be one. */
    packet_to(outside, PROTOCOL_UDP, 67, 8);
    sent.bytes[ETHERNET_HEADER] = 0x4f;
    CHECK(gate_judge(&sent, &answer) == GATE_DROP);
    sent.bytes[ETHERNET_HEADER] = 0x44;
    CHECK(gate_judge(&sent, &answer) == GATE_DROP);
}

static void test_the_answer_is_icmp(void)
{
    static const uint8_t outside[4] = {203, 0, 113, 1};
    static const uint8_t from[4] = {10, 0, 2, 2};
    static const uint8_t board[4] = {BOARD};
    const uint8_t *ip = answer.bytes + ETHERNET_HEADER;
    const uint8_t *icmp = ip + IPV4_HEADER_MIN;
    CHECK(gate_judge(packet_to(outside, PROTOCOL_TCP, 1883, TCP_SYN_BYTES), &answer) == GATE_ANSWER);
    CHECK(answer.length == ETHERNET_HEADER + IPV4_HEADER_MIN + 8 + IPV4_HEADER_MIN + 8);
    CHECK(answer.bytes[0] == 0xb0 && answer.bytes[6] == 0xa0);
    CHECK(ip_header_length(answer.bytes, answer.length) == IPV4_HEADER_MIN);
    CHECK(read_u16(ip + IPV4_LENGTH) == answer.length - ETHERNET_HEADER);
    CHECK(ip[IPV4_PROTOCOL] == PROTOCOL_ICMP);
    CHECK(memcmp(ip + IPV4_SOURCE, from, 4) == 0 && memcmp(ip + IPV4_DESTINATION, board, 4) == 0);
    CHECK(internet_checksum(ip, IPV4_HEADER_MIN) == 0);
    CHECK(icmp[0] == 3 && icmp[1] == 0);
    CHECK(internet_checksum(icmp, 8 + IPV4_HEADER_MIN + 8) == 0);
    CHECK(memcmp(icmp + 8, sent.bytes + ETHERNET_HEADER, IPV4_HEADER_MIN + 8) == 0);

    /* Never more than what came, and a checksum over an odd number of bytes. */
    CHECK(gate_judge(packet_to(outside, PROTOCOL_UDP, 5000, 5), &answer) == GATE_ANSWER);
    CHECK(answer.length == ETHERNET_HEADER + IPV4_HEADER_MIN + 8 + IPV4_HEADER_MIN + 6);
    CHECK(internet_checksum(icmp, 8 + IPV4_HEADER_MIN + 6) == 0);
}

static void test_what_is_never_answered(void)
{
    static const uint8_t outside[4] = {203, 0, 113, 1};
    /* A later fragment. */
    packet_to(outside, PROTOCOL_UDP, 5000, 8);
    write_u16(sent.bytes + ETHERNET_HEADER + IPV4_FRAGMENT, 0x0003);
    CHECK(gate_judge(&sent, &answer) == GATE_DROP);
    /* An ICMP error; an echo request is answered. */
    packet_to(outside, PROTOCOL_ICMP, 0, 8);
    sent.bytes[ETHERNET_HEADER + IPV4_HEADER_MIN] = 3;
    CHECK(gate_judge(&sent, &answer) == GATE_DROP);
    sent.bytes[ETHERNET_HEADER + IPV4_HEADER_MIN] = 8;
    CHECK(gate_judge(&sent, &answer) == GATE_ANSWER);
}

/* A question for the A record of `name`, which has one label. */
static const struct frame *question_for(const char *name)
{
    static const uint8_t server[4] = {10, 0, 2, 3};
    size_t label = strlen(name);
    packet_to(server, PROTOCOL_UDP, 53, 8 + 12 + 1 + label + 1 + 4);
    uint8_t *dns = sent.bytes + ETHERNET_HEADER + IPV4_HEADER_MIN + 8;
    dns[5] = 1;
    dns[12] = (uint8_t)label;
    memcpy(dns + 13, name, label);
    dns[12 + label + 3] = 1;
    dns[12 + label + 5] = 1;
    return &sent;
}

static void test_unlisted_names(void)
{
    static struct hosts hosts;
    const struct timespec now = {0};
    const uint8_t *dns = answer.bytes + ETHERNET_HEADER + IPV4_HEADER_MIN + 8;
    uint32_t delay;
    CHECK(hosts_add(&hosts, false, "listed=127.0.0.1") == NULL);
    CHECK(virtual_servers_judge(&hosts, false, now, question_for("other"), &answer, &delay) == VERDICT_ANSWER);
    CHECK((dns[3] & 0x0f) == 3);
    CHECK(virtual_servers_judge(&hosts, true, now, question_for("other"), &answer, &delay) == VERDICT_PASS);
    for (int open = 0; open < 2; open++) {
        CHECK(virtual_servers_judge(&hosts, open != 0, now, question_for("listed"), &answer, &delay) == VERDICT_ANSWER);
        CHECK((dns[3] & 0x0f) == 0 && dns[7] == 1);
    }
}

void gate_test(void)
{
    test_addresses();
    test_only_dhcp_is_broadcast();
    test_what_is_no_ipv4();
    test_the_answer_is_icmp();
    test_what_is_never_answered();
    test_unlisted_names();
}
