/*
 * What TLS finds on the board: random numbers, the clock, the product's credentials, and a heap that bounds it.
 *
 * The client here gets as far as its first message: its broker never answers.
 */
#include <mbedtls/build_info.h>

#include <mbedtls/asn1.h>
#include <mbedtls/bignum.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/ecp.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/md.h>
#include <mbedtls/pem.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "check.h"
#include "credentials.h"
#include "heap.h"
#include "rtc.h"
#include "trng.h"
#include "wm_osal.h"

#define PRIORITY 5
#define CHARGE_STEP 8
#define KEY_BYTES 512
#define PEM_FILE "tls_test.pem"
/* 2024-12-31, 2030-01-01 and 2035-01-02. */
#define BEFORE 1735603200
#define BETWEEN 1893456000
#define AFTER 2051308800

extern const char mqtt_client_tls_ca[];
extern const char mqtt_client_tls_cert[];
extern const char mqtt_client_tls_key[];

/* broker.test by itself, from 2025-01-01 to 2035-01-01. */
static const char certificate[] = "-----BEGIN CERTIFICATE-----\n"
                                  "MIIBZTCCAQugAwIBAgIBATAKBggqhkjOPQQDAjAWMRQwEgYDVQQDDAticm9rZXIu\n"
                                  "dGVzdDAeFw0yNTAxMDEwMDAwMDBaFw0zNTAxMDEwMDAwMDBaMBYxFDASBgNVBAMM\n"
                                  "C2Jyb2tlci50ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEpaz0Ml1VG6AO\n"
                                  "rH1iqucttokvqu+cs6QCOpPQ9BF8Uh0Zj7PuVKVvPa3dg75F4ciur9jywsIGztbM\n"
                                  "nmLM/nDDk6NKMEgwDwYDVR0TAQH/BAUwAwEB/zAWBgNVHREEDzANggticm9rZXIu\n"
                                  "dGVzdDAdBgNVHQ4EFgQUJqtvjjWzHTcg2/3hcktpW2YqnYIwCgYIKoZIzj0EAwID\n"
                                  "SAAwRQIhAO8EBuNUJfdJFHTiUwHNIyxOSpndUHmNTF7NUU2azpv8AiBMDLUIy6U2\n"
                                  "XTn5vB/lsqap6evp+Udw+wYl7EGJD36qZg==\n"
                                  "-----END CERTIFICATE-----\n";

static unsigned char key[KEY_BYTES];

struct client {
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
    mbedtls_x509_crt trusted;
    mbedtls_pk_context own_key;
    mbedtls_ssl_config config;
    mbedtls_ssl_context tls;
};

static void start_client(struct client *client)
{
    mbedtls_entropy_init(&client->entropy);
    mbedtls_ctr_drbg_init(&client->random);
    mbedtls_x509_crt_init(&client->trusted);
    mbedtls_pk_init(&client->own_key);
    mbedtls_ssl_config_init(&client->config);
    mbedtls_ssl_init(&client->tls);
}

static void end_client(struct client *client)
{
    mbedtls_ssl_free(&client->tls);
    mbedtls_ssl_config_free(&client->config);
    mbedtls_pk_free(&client->own_key);
    mbedtls_x509_crt_free(&client->trusted);
    mbedtls_ctr_drbg_free(&client->random);
    mbedtls_entropy_free(&client->entropy);
}

static int swallow(void *unused, const unsigned char *bytes, size_t count)
{
    (void)unused;
    (void)bytes;
    return (int)count;
}

static int stay_silent(void *unused, unsigned char *bytes, size_t count)
{
    (void)unused;
    (void)bytes;
    (void)count;
    return MBEDTLS_ERR_SSL_WANT_READ;
}

static int seed(struct client *client)
{
    return mbedtls_ctr_drbg_seed(&client->random, mbedtls_entropy_func, &client->entropy, NULL, 0);
}

static int read_credentials(struct client *client)
{
    int status = mbedtls_x509_crt_parse(&client->trusted, (const unsigned char *)certificate, sizeof certificate);
    return status ? status
                  : mbedtls_pk_parse_key(&client->own_key, key, strlen((const char *)key) + 1, NULL, 0,
                                         mbedtls_ctr_drbg_random, &client->random);
}

static int configure(struct client *client)
{
    mbedtls_ssl_config *config = &client->config;
    int status = mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                             MBEDTLS_SSL_PRESET_DEFAULT);
    mbedtls_ssl_conf_rng(config, mbedtls_ctr_drbg_random, &client->random);
    mbedtls_ssl_conf_ca_chain(config, &client->trusted, NULL);
    return status ? status : mbedtls_ssl_conf_own_cert(config, &client->trusted, &client->own_key);
}

static int greet(struct client *client)
{
    int status = mbedtls_ssl_setup(&client->tls, &client->config);
    status = status ? status : mbedtls_ssl_set_hostname(&client->tls, "broker.test");
    mbedtls_ssl_set_bio(&client->tls, NULL, swallow, stay_silent, NULL);
    return status ? status : mbedtls_ssl_handshake(&client->tls);
}

static int connect_client(struct client *client)
{
    static int (*const steps[])(struct client *) = {seed, read_credentials, configure, greet};
    int status = 0;
    for (size_t i = 0; i < sizeof steps / sizeof *steps && status == 0; i++) {
        status = steps[i](client);
    }
    return status;
}

static void random_numbers_differ(void)
{
    unsigned char first[32] = {0};
    unsigned char second[32] = {0};
    unsigned char many[1000];
    size_t got;
    CHECK(mbedtls_hardware_poll(NULL, first, sizeof first, &got) == 0 && got == sizeof first);
    CHECK(mbedtls_hardware_poll(NULL, second, sizeof second, &got) == 0 && got == sizeof second);
    CHECK(memcmp(first, second, sizeof first) != 0);
    CHECK(mbedtls_hardware_poll(NULL, many, sizeof many, &got) == 0 && got > 0 && got <= sizeof many);
}

/* The key the other tests use; no key is kept in a file. */
static void key_is_made(void)
{
    struct client client;
    start_client(&client);
    CHECK(seed(&client) == 0);
    CHECK(mbedtls_pk_setup(&client.own_key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)) == 0);
    CHECK(mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(client.own_key), mbedtls_ctr_drbg_random,
                              &client.random) == 0);
    CHECK(mbedtls_pk_write_key_pem(&client.own_key, key, sizeof key) == 0);
    end_client(&client);
}

static uint32_t faults_at(mbedtls_x509_crt *chain, int64_t seconds)
{
    uint32_t faults = 0;
    rtc_set(seconds);
    mbedtls_x509_crt_verify(chain, chain, NULL, "broker.test", &faults, NULL, NULL);
    return faults;
}

static void dates_are_checked_by_the_boards_clock(void)
{
    mbedtls_x509_crt chain;
    mbedtls_x509_crt_init(&chain);
    CHECK(mbedtls_x509_crt_parse(&chain, (const unsigned char *)certificate, sizeof certificate) == 0);
    CHECK(faults_at(&chain, BETWEEN) == 0);
#ifdef MBEDTLS_HAVE_TIME_DATE
    CHECK(faults_at(&chain, 0) == MBEDTLS_X509_BADCERT_FUTURE);
    CHECK(faults_at(&chain, BEFORE) == MBEDTLS_X509_BADCERT_FUTURE);
    CHECK(faults_at(&chain, AFTER) == MBEDTLS_X509_BADCERT_EXPIRED);
#else
    CHECK(faults_at(&chain, 0) == 0 && faults_at(&chain, BEFORE) == 0 && faults_at(&chain, AFTER) == 0);
#endif
    mbedtls_x509_crt_free(&chain);
}

static void memory_is_told_apart_and_given_back(void)
{
    struct client client;
    struct heap_figures before = heap_get_figures();
    CHECK(heap_get_share(HEAP_MBEDTLS).used == 0);
    heap_reset_share_peaks();
    size_t others = heap_get_share(HEAP_OTHER).used;
    CHECK(heap_get_share(HEAP_OTHER).peak == others);

    start_client(&client);
    CHECK(connect_client(&client) == MBEDTLS_ERR_SSL_WANT_READ);
    struct heap_share mbedtls = heap_get_share(HEAP_MBEDTLS);
    CHECK(mbedtls.used > MBEDTLS_SSL_IN_CONTENT_LEN + MBEDTLS_SSL_OUT_CONTENT_LEN);
    CHECK(mbedtls.peak >= mbedtls.used && heap_get_share(HEAP_OTHER).peak == others);
    CHECK(heap_get_figures().used == mbedtls.used + others);
    printf("a client before its broker answers: %zu bytes, at most %zu\n", mbedtls.used, mbedtls.peak);

    void *block = wm_os_internal_malloc(1000);
    CHECK(heap_get_share(HEAP_OTHER).used == others + 1024 && heap_get_share(HEAP_MBEDTLS).used == mbedtls.used);
    wm_os_internal_free(block);
    CHECK(heap_get_share(HEAP_OTHER).used == others && heap_get_share(HEAP_OTHER).peak == others + 1024);

    end_client(&client);
    CHECK(heap_get_share(HEAP_MBEDTLS).used == 0 && heap_get_figures().blocks == before.blocks);
    CHECK(heap_get_share(HEAP_MBEDTLS).peak == mbedtls.peak);
    heap_reset_share_peaks();
    CHECK(heap_get_share(HEAP_MBEDTLS).peak == 0);
}

/*
 * A code of Mbed TLS is a high-level one, a low-level one, or their sum. The last two hide what was missing: the
 * entropy pool's hash, or a key's public point.
 */
static bool is_out_of_memory(int status)
{
    static const int codes[] = {
        MBEDTLS_ERR_SSL_ALLOC_FAILED,      MBEDTLS_ERR_X509_ALLOC_FAILED, MBEDTLS_ERR_PK_ALLOC_FAILED,
        MBEDTLS_ERR_PEM_ALLOC_FAILED,      MBEDTLS_ERR_ECP_ALLOC_FAILED,  MBEDTLS_ERR_MD_ALLOC_FAILED,
        MBEDTLS_ERR_ASN1_ALLOC_FAILED,     MBEDTLS_ERR_MPI_ALLOC_FAILED,  MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED,
        MBEDTLS_ERR_PK_KEY_INVALID_FORMAT,
    };
    int high = -(-status & 0xff80);
    int low = -(-status & 0x7f);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (codes[i] == high || codes[i] == low) {
            return true;
        }
    }
    return false;
}

/* Every charge is a multiple of the step, so some limit makes each allocation the first that fails. */
static void running_out_of_memory_is_reported_and_leaks_nothing(void)
{
    struct client client;
    struct heap_figures before = heap_get_figures();
    int status = 0;
    int last = 0;
    for (size_t room = 0; status != MBEDTLS_ERR_SSL_WANT_READ; room += CHARGE_STEP) {
        heap_set_limit(before.used + room);
        start_client(&client);
        status = connect_client(&client);
        end_client(&client);
        CHECK(heap_get_figures().used == before.used && heap_get_figures().blocks == before.blocks);
        if (status != last) {
            printf("with %zu bytes: -0x%04x\n", room, (unsigned)-status);
            last = status;
        }
        CHECK(status == MBEDTLS_ERR_SSL_WANT_READ || is_out_of_memory(status));
    }
    heap_set_limit(HEAP_DEFAULT_LIMIT);
}

static void errors_have_texts(void)
{
    char text[128];
    mbedtls_strerror(MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, text, sizeof text);
    CHECK(strstr(text, "X509") == text);
}

static bool load(const char *content, size_t length)
{
    FILE *file = fopen(PEM_FILE, "wb");
    CHECK(file && fwrite(content, 1, length, file) == length && fclose(file) == 0);
    return credentials_load(&(struct credential_files){.cert = PEM_FILE});
}

static void credentials_come_from_files(void)
{
    static char filler[CREDENTIAL_BYTES];
    memset(filler, 'x', sizeof filler);
    CHECK_TEXT(mqtt_client_tls_ca, "");
    CHECK(load(certificate, sizeof certificate - 1));
    CHECK_TEXT(mqtt_client_tls_cert, certificate);
    CHECK_TEXT(mqtt_client_tls_ca, "");
    CHECK_TEXT(mqtt_client_tls_key, "");
    CHECK(load(filler, sizeof filler - 1));
    CHECK(strlen(mqtt_client_tls_cert) == sizeof filler - 1);
    CHECK(!load(filler, sizeof filler));
    CHECK(!load("a\0b", 3));
    CHECK(!credentials_load(&(struct credential_files){.key = "no such file"}));
    CHECK(!credentials_load(&(struct credential_files){.ca = "."}));
}

int main(void)
{
    static const struct test tests[] = {
        TEST(random_numbers_differ),
        TEST(key_is_made),
        TEST(dates_are_checked_by_the_boards_clock),
        TEST(memory_is_told_apart_and_given_back),
        TEST(running_out_of_memory_is_reported_and_leaks_nothing),
        TEST(errors_have_texts),
        TEST(credentials_come_from_files),
    };
    return run_tests(tests, sizeof tests / sizeof *tests, PRIORITY);
}
