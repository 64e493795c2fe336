/* The table over our declarations. Compiled without lwIP's folder on the path. */
#include "lwip/dns.h"
#include "lwip/ip4.h"
#include "lwip/netdb.h"
#include "lwip/sockets.h"
#include "lwip/tcpip.h"

#include "abi_table.h"

static const struct abi_row rows[] = {ABI_ROWS};

struct abi_rows abi_declared(void)
{
    return (struct abi_rows){rows, sizeof rows / sizeof *rows};
}
