/* Ethernet frames with IPv4 inside (RFC 791), as far as the virtual network's own answers need them. */
#ifndef W800_NET_PACKET_H
#define W800_NET_PACKET_H

#include <stddef.h>
#include <stdint.h>

#define ETHERNET_HEADER 14
#define ETHERNET_TYPE 12
#define ETHERNET_IPV4 0x0800
#define ETHERNET_ARP 0x0806
#define IPV4_HEADER_MIN 20
#define IPV4_LENGTH 2
#define IPV4_FRAGMENT 6
#define IPV4_PROTOCOL 9
#define IPV4_CHECKSUM 10
#define IPV4_SOURCE 12
#define IPV4_DESTINATION 16

#define PROTOCOL_ICMP 1
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17

static inline uint16_t read_u16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static inline void write_u16(uint8_t *bytes, uint32_t value)
{
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

static inline void write_u32(uint8_t *bytes, uint32_t value)
{
    write_u16(bytes, value >> 16);
    write_u16(bytes + 2, value & UINT16_MAX);
}

/* Of a whole number of 16-bit words (RFC 1071). */
static inline uint16_t internet_checksum(const uint8_t *words, size_t length)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < length; i += 2) {
        sum += read_u16(words + i);
    }
    while (sum > UINT16_MAX) {
        sum = (sum & UINT16_MAX) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

static inline void swap_bytes(uint8_t *left, uint8_t *right, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = left[i];
        left[i] = right[i];
        right[i] = byte;
    }
}

/* Bytes of the IPv4 header; 0 where the frame holds no whole one. */
static inline size_t ip_header_length(const uint8_t *frame, size_t length)
{
    if (length < ETHERNET_HEADER + IPV4_HEADER_MIN || read_u16(frame + ETHERNET_TYPE) != ETHERNET_IPV4 ||
        frame[ETHERNET_HEADER] >> 4 != 4) {
        return 0;
    }
    size_t header = (size_t)(frame[ETHERNET_HEADER] & 0x0f) * 4;
    return header < IPV4_HEADER_MIN || length < ETHERNET_HEADER + header ? 0 : header;
}

#endif
