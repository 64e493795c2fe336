/* The table over lwIP's own headers, as the virtual board's lwIP is compiled, and its comparison with the declared one.
 */
#include "abi_check.h"

#include "lwip/dns.h"
#include "lwip/ip4.h"
#include "lwip/netdb.h"
#include "lwip/sockets.h"
#include "lwip/tcpip.h"

#include "abi_table.h"

static const struct abi_row rows[] = {ABI_ROWS};

int abi_check(void)
{
    struct abi_rows declared = abi_declared();
    if (declared.count != sizeof rows / sizeof *rows) {
        fprintf(stderr, "lwIP's interface: the tables differ in length\n");
        return 1;
    }
    int differences = 0;
    for (size_t i = 0; i < declared.count; i++) {
        if (declared.rows[i].value != rows[i].value) {
            fprintf(stderr, "lwIP's interface: %s is declared %lld and is %lld\n", rows[i].what, declared.rows[i].value,
                    rows[i].value);
            differences++;
        }
    }
    return differences;
}
