/* Whether our declarations of lwIP's interface, which the library is bound to, are those of the lwIP that runs. */
#ifndef W800_NET_ABI_CHECK_H
#define W800_NET_ABI_CHECK_H

/* 0 where both agree; otherwise names each row that does not on stderr and returns how many. */
int abi_check(void);

#endif
