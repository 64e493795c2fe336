/*
 * The same work by the Paho C client.
 *
 *   paho <broker's port> publish|receive <count> <bytes> <qos> <window>
 *
 * At QoS 1 and 2 up to <window> messages are in flight. It waits for their delivery by the client's callback: the
 * client's own waiting functions, and its own window, look only ten times a second. Prints its processor time and its
 * heap's peak above what was in use before the client was created.
 */
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <MQTTClient.h>

#include "heap_peak.h"
#include "measure.h"

struct state {
    MQTTClient client;
    /* Messages to publish, or still to receive. */
    unsigned long count;
    size_t bytes;
    char *payload;
    sem_t window;
    sem_t complete;
};

static void check(int status, const char *what)
{
    if (status != MQTTCLIENT_SUCCESS) {
        measure_fail(what, MQTTClient_strerror(status));
    }
}

static int take_message(void *context, char *topic, int topic_length, MQTTClient_message *message)
{
    (void)topic_length;
    struct state *state = context;
    bool right = strcmp(topic, TOPIC) == 0 && message->payloadlen == (int)state->bytes &&
                 memcmp(message->payload, state->payload, state->bytes) == 0;
    if (!right) {
        measure_fail("not the message that was sent", topic);
    }
    MQTTClient_freeMessage(&message);
    MQTTClient_free(topic);
    state->count--;
    if (state->count == 0) {
        sem_post(&state->complete);
    }
    return 1;
}

static char *new_payload(size_t bytes)
{
    char *payload = malloc(bytes + 1);
    memset(payload, PAYLOAD_BYTE, bytes);
    return payload;
}

static void message_delivered(void *context, MQTTClient_deliveryToken token)
{
    (void)token;
    struct state *state = context;
    sem_post(&state->window);
}

static void publish_one(struct state *state, const char *topic, size_t bytes, int qos)
{
    if (qos > 0) {
        sem_wait(&state->window);
    }
    check(MQTTClient_publish(state->client, topic, (int)bytes, state->payload, qos, 0, NULL), "publish");
}

static void await_delivery(struct state *state, unsigned window)
{
    for (unsigned i = 0; i < window; i++) {
        sem_wait(&state->window);
    }
}

/* The empty message at the end: success at QoS 0 only says that one is on its way, and the broker takes them in turn.
 */
static void publish(struct state *state, int qos, unsigned window)
{
    for (unsigned long i = 0; i < state->count; i++) {
        publish_one(state, TOPIC, state->bytes, qos);
    }
    publish_one(state, "end", 0, 1);
    await_delivery(state, window);
}

static void connect_to(struct state *state, const char *port)
{
    char address[64];
    MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer;
    options.reliable = 0;
    snprintf(address, sizeof address, "tcp://127.0.0.1:%s", port);
    check(MQTTClient_create(&state->client, address, "bench-paho", MQTTCLIENT_PERSISTENCE_NONE, NULL), "create");
    check(MQTTClient_setCallbacks(state->client, state, NULL, take_message, message_delivered), "callbacks");
    check(MQTTClient_connect(state->client, &options), "connect");
}

int main(int argc, char **argv)
{
    struct measure measure;
    if (argc != 7) {
        measure_fail("usage", "paho <port> publish|receive <count> <bytes> <qos> <window>");
    }
    struct state state = {.count = measure_number(argv[3]), .bytes = measure_number(argv[4])};
    int qos = (int)measure_number(argv[5]);
    unsigned window = (unsigned)measure_number(argv[6]);
    bool receives = strcmp(argv[2], "receive") == 0;
    state.payload = new_payload(state.bytes);
    sem_init(&state.window, 0, window);
    sem_init(&state.complete, 0, 0);

    size_t before = heap_in_use();
    connect_to(&state, argv[1]);
    if (receives) {
        check(MQTTClient_subscribe(state.client, TOPIC, qos), "subscribe");
    }
    measure_begin(&measure, CLOCK_PROCESS_CPUTIME_ID);
    if (receives) {
        measure_ready();
        sem_wait(&state.complete);
    } else {
        publish(&state, qos, window);
    }
    measure_end(&measure);
    measure_print(&measure, heap_peak() - before);
    check(MQTTClient_disconnect(state.client, 1000), "disconnect");
    MQTTClient_destroy(&state.client);
    free(state.payload);
    return EXIT_SUCCESS;
}
