/*
 * DNS (RFC 1035) from the list of hosts and SNTP (RFC 4330) from the host's clock or a server on its loopback, on raw
 * Ethernet frames.
 */
#include "virtual_servers.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "packet.h"

#define UDP_HEADER 8
#define DNS_HEADER 12
#define DNS_PORT 53
#define NTP_PORT 123
#define NTP_MESSAGE 48
#define NTP_TIMEOUT_US 500000
#define NTP_SECONDS_FROM_1900_TO_1970 2208988800UL

#define DNS_TYPE_A 1
#define DNS_CLASS_IN 1
#define DNS_TTL_SECONDS 60
#define DNS_FLAG_ANSWER 0x80
#define DNS_FLAG_RECURSION_DESIRED 0x01
#define DNS_FLAG_RECURSION_AVAILABLE 0x80
#define DNS_NAME_ERROR 3

/* Set in tasks of the board, read on the radio's thread. */
static struct {
    pthread_mutex_t lock;
    size_t count;
    char names[TIME_SERVER_NAMES][HOST_NAME_CAPACITY];
} time_servers = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const uint8_t time_server_address[4] = {10, 0, 2, 3};

void virtual_servers_know_time_servers(const char *const *names, size_t count)
{
    pthread_mutex_lock(&time_servers.lock);
    time_servers.count = count < TIME_SERVER_NAMES ? count : TIME_SERVER_NAMES;
    for (size_t i = 0; i < time_servers.count; i++) {
        snprintf(time_servers.names[i], HOST_NAME_CAPACITY, "%s", names[i]);
    }
    pthread_mutex_unlock(&time_servers.lock);
}

static bool is_time_server(const char *name)
{
    bool found = false;
    pthread_mutex_lock(&time_servers.lock);
    for (size_t i = 0; i < time_servers.count; i++) {
        found = found || strcasecmp(time_servers.names[i], name) == 0;
    }
    pthread_mutex_unlock(&time_servers.lock);
    return found;
}

/* Where the parts of an IPv4 packet with UDP or TCP inside begin. */
struct packet {
    uint8_t protocol;
    uint16_t destination_port;
    size_t transport;
    size_t payload;
};

static bool parse_packet(const struct frame *frame, struct packet *packet)
{
    size_t header = ip_header_length(frame->bytes, frame->length);
    packet->transport = ETHERNET_HEADER + header;
    packet->payload = packet->transport + UDP_HEADER;
    if (header == 0 || frame->length < packet->payload) {
        return false;
    }
    packet->protocol = frame->bytes[ETHERNET_HEADER + IPV4_PROTOCOL];
    packet->destination_port = read_u16(frame->bytes + packet->transport + 2);
    return true;
}

/* Turns a question whose payload has been replaced into the answer: back to its sender, with the right lengths. */
static void address_answer(struct frame *answer, const struct packet *packet, size_t payload_length)
{
    uint8_t *ip = answer->bytes + ETHERNET_HEADER;
    uint8_t *udp = answer->bytes + packet->transport;
    size_t header_length = packet->transport - ETHERNET_HEADER;

    answer->length = packet->payload + payload_length;
    swap_bytes(answer->bytes, answer->bytes + 6, 6);
    swap_bytes(ip + IPV4_SOURCE, ip + IPV4_DESTINATION, 4);
    swap_bytes(udp, udp + 2, 2);
    write_u16(udp + 4, (uint32_t)(UDP_HEADER + payload_length));
    /* UDP over IPv4 may go without a checksum. */
    write_u16(udp + 6, 0);
    write_u16(ip + IPV4_LENGTH, (uint32_t)(header_length + UDP_HEADER + payload_length));
    write_u16(ip + IPV4_CHECKSUM, 0);
    write_u16(ip + IPV4_CHECKSUM, internet_checksum(ip, header_length));
}

/* Reads the question's name as text; returns its encoded length, 0 where it is malformed. */
static size_t parse_name(const uint8_t *bytes, size_t length, char *name)
{
    size_t position = 0;
    size_t written = 0;
    while (position < length && bytes[position] != 0) {
        size_t label = bytes[position++];
        if (label > 63 || position + label > length || written + label + 1 >= HOST_NAME_CAPACITY) {
            return 0;
        }
        if (written > 0) {
            name[written++] = '.';
        }
        memcpy(name + written, bytes + position, label);
        written += label;
        position += label;
    }
    name[written] = '\0';
    return position < length ? position + 1 : 0;
}

static size_t write_address_record(uint8_t *record, const uint8_t address[4])
{
    /* The name is a pointer to the question's. */
    write_u16(record, 0xc000 | DNS_HEADER);
    write_u16(record + 2, DNS_TYPE_A);
    write_u16(record + 4, DNS_CLASS_IN);
    write_u32(record + 6, DNS_TTL_SECONDS);
    write_u16(record + 10, 4);
    memcpy(record + 12, address, 4);
    return 16;
}

static enum verdict answer_name(const struct hosts *hosts, bool open, const struct packet *packet, struct frame *answer,
                                uint32_t *delay_ms)
{
    uint8_t *dns = answer->bytes + packet->payload;
    size_t length = answer->length - packet->payload;
    char name[HOST_NAME_CAPACITY];
    size_t name_length = length < DNS_HEADER ? 0 : parse_name(dns + DNS_HEADER, length - DNS_HEADER, name);
    size_t question_end = DNS_HEADER + name_length + 4;
    if (name_length == 0 || question_end > length || read_u16(dns + 4) != 1) {
        return VERDICT_DROP;
    }
    const struct host *host = hosts_find(hosts, name);
    if (host == NULL && open) {
        return VERDICT_PASS;
    }
    if (host != NULL && host->dropped) {
        return VERDICT_DROP;
    }
    const uint8_t *address = host != NULL ? host->address : is_time_server(name) ? time_server_address : NULL;
    bool has_record = address != NULL && read_u16(dns + question_end - 4) == DNS_TYPE_A;

    dns[2] = DNS_FLAG_ANSWER | (dns[2] & DNS_FLAG_RECURSION_DESIRED);
    dns[3] = DNS_FLAG_RECURSION_AVAILABLE | (address == NULL ? DNS_NAME_ERROR : 0);
    write_u16(dns + 6, has_record ? 1 : 0);
    write_u32(dns + 8, 0);
    size_t record = has_record ? write_address_record(dns + question_end, address) : 0;
    address_answer(answer, packet, question_end + record);
    *delay_ms = host == NULL ? 0 : host->delay_ms;
    return VERDICT_ANSWER;
}

static uint16_t time_server_port;

void virtual_servers_set_time_server(uint16_t port)
{
    time_server_port = port;
}

/* Asks the server on the loopback and puts its answer in the question's place. The network stands still meanwhile. */
static bool relay_time(uint8_t *ntp)
{
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(time_server_port)};
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct timeval patience = {.tv_usec = NTP_TIMEOUT_US};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool answered = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
                    connect(fd, (const struct sockaddr *)&server, sizeof server) == 0 &&
                    send(fd, ntp, NTP_MESSAGE, 0) == NTP_MESSAGE && recv(fd, ntp, NTP_MESSAGE, 0) == NTP_MESSAGE;
    if (fd >= 0) {
        close(fd);
    }
    return answered;
}

static enum verdict answer_time(struct timespec now, const struct packet *packet, struct frame *answer)
{
    uint8_t *ntp = answer->bytes + packet->payload;
    if (answer->length < packet->payload + NTP_MESSAGE) {
        return VERDICT_DROP;
    }
    if (time_server_port != 0) {
        if (!relay_time(ntp)) {
            return VERDICT_DROP;
        }
        address_answer(answer, packet, NTP_MESSAGE);
        return VERDICT_ANSWER;
    }
    uint32_t seconds = (uint32_t)((uint64_t)now.tv_sec + NTP_SECONDS_FROM_1900_TO_1970);
    uint32_t fraction = (uint32_t)(((uint64_t)now.tv_nsec << 32) / 1000000000U);
    uint8_t version = ntp[0] & 0x38;
    uint8_t originate[8];
    memcpy(originate, ntp + 40, sizeof originate);

    memset(ntp, 0, NTP_MESSAGE);
    ntp[0] = version | 4; /* mode 4: server */
    ntp[1] = 1;           /* a reference clock of its own */
    memcpy(ntp + 12, "LOCL", 4);
    memcpy(ntp + 24, originate, sizeof originate);
    for (size_t stamp = 16; stamp < NTP_MESSAGE; stamp += stamp == 16 ? 16 : 8) {
        write_u32(ntp + stamp, seconds);
        write_u32(ntp + stamp + 4, fraction);
    }
    address_answer(answer, packet, NTP_MESSAGE);
    return VERDICT_ANSWER;
}

enum verdict virtual_servers_judge(const struct hosts *hosts, bool open, struct timespec now,
                                   const struct frame *question, struct frame *answer, uint32_t *delay_ms)
{
    struct packet packet;
    *delay_ms = 0;
    if (!parse_packet(question, &packet) ||
        (packet.destination_port != DNS_PORT && packet.destination_port != NTP_PORT)) {
        return VERDICT_PASS;
    }
    if (packet.protocol == PROTOCOL_TCP) {
        return packet.destination_port == DNS_PORT && !open ? VERDICT_DROP : VERDICT_PASS;
    }
    if (packet.protocol != PROTOCOL_UDP) {
        return VERDICT_PASS;
    }
    *answer = *question;
    return packet.destination_port == DNS_PORT ? answer_name(hosts, open, &packet, answer, delay_ms)
                                               : answer_time(now, &packet, answer);
}
