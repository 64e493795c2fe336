/* lwIP's interface as rows of numbers. */
#ifndef W800_NET_ABI_ROWS_H
#define W800_NET_ABI_ROWS_H

#include <stddef.h>

struct abi_row {
    const char *what;
    long long value;
};

struct abi_rows {
    const struct abi_row *rows;
    size_t count;
};

/* The rows over our declarations. */
struct abi_rows abi_declared(void);

#endif
