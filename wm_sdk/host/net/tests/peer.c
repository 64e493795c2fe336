/* The test's servers, a thread for each connection. */
#include "peer.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

static int listen_on_loopback(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 8) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0) {
        return -1;
    }
    *port = ntohs(address.sin_port);
    return listener;
}

static bool send_all(int connection, const uint8_t *bytes, ssize_t length)
{
    while (length > 0) {
        ssize_t sent = send(connection, bytes, (size_t)length, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        bytes += sent;
        length -= sent;
    }
    return true;
}

static void *echo(void *argument)
{
    int connection = (int)(intptr_t)argument;
    uint8_t bytes[16384];
    ssize_t length;
    do {
        length = recv(connection, bytes, sizeof bytes, 0);
    } while (length > 0 && send_all(connection, bytes, length));
    close(connection);
    return NULL;
}

static void *keep_silent(void *argument)
{
    int connection = (int)(intptr_t)argument;
    uint8_t bytes[1024];
    while (recv(connection, bytes, sizeof bytes, 0) > 0) {
    }
    close(connection);
    return NULL;
}

struct server {
    int listener;
    void *(*serve)(void *connection);
};

static void *accept_all(void *argument)
{
    struct server *server = argument;
    for (;;) {
        int connection = accept(server->listener, NULL, NULL);
        pthread_t thread;
        if (connection >= 0 && pthread_create(&thread, NULL, server->serve, (void *)(intptr_t)connection) == 0) {
            pthread_detach(thread);
        }
    }
    return NULL;
}

static uint16_t start(struct server *server)
{
    uint16_t port;
    pthread_t thread;
    server->listener = listen_on_loopback(&port);
    if (server->listener < 0 || pthread_create(&thread, NULL, accept_all, server) != 0) {
        return 0;
    }
    pthread_detach(thread);
    return port;
}

uint16_t peer_start_echo(void)
{
    static struct server server = {.serve = echo};
    return start(&server);
}

uint16_t peer_start_silent(void)
{
    static struct server server = {.serve = keep_silent};
    return start(&server);
}

uint16_t peer_closed_port(void)
{
    uint16_t port = 0;
    int listener = listen_on_loopback(&port);
    close(listener);
    return port;
}
