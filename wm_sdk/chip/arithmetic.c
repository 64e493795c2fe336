/* What the code generator calls for numbers of 64 bits, as libgcc has it; multiplication is in multiply.S. */
#include <stdint.h>

uint64_t __udivdi3(uint64_t dividend, uint64_t divisor);

/* By a divisor whose highest bit is set and a dividend's high word below it: one word of the quotient, digit by digit
 * of 16 bits (Knuth's algorithm D). */
static uint32_t divide_words(uint32_t high, uint32_t low, uint32_t divisor, uint32_t *remainder)
{
    uint32_t quotient = 0;
    uint32_t rest = high;
    for (int shift = 16; shift >= 0; shift -= 16) {
        uint32_t next = low >> shift & 0xffff;
        uint32_t digit = rest / (divisor >> 16);
        uint32_t left = rest - digit * (divisor >> 16);
        uint32_t product = digit * (divisor & 0xffff);
        while (digit > 0xffff || (left <= 0xffff && product > (left << 16 | next))) {
            digit--;
            product -= divisor & 0xffff;
            left += divisor >> 16;
        }
        rest = (left << 16 | next) - product;
        quotient = quotient << 16 | digit;
    }
    *remainder = rest;
    return quotient;
}

/* By less than 32 places; the code generator would call a function for it. */
static uint64_t shift_left(uint64_t number, int places)
{
    uint32_t low = (uint32_t)number;
    uint32_t high = (uint32_t)(number >> 32) << places | (places > 0 ? low >> (32 - places) : 0);
    return (uint64_t)high << 32 | low << places;
}

/* By one word. */
static uint64_t divide_by_word(uint64_t dividend, uint32_t divisor)
{
    uint32_t high = (uint32_t)(dividend >> 32);
    uint32_t quotient = high / divisor;
    uint32_t rest = high % divisor;
    uint32_t low = (uint32_t)dividend;
    if (rest == 0) {
        return (uint64_t)quotient << 32 | low / divisor;
    }
    int shift = __builtin_clz(divisor);
    uint64_t shifted = shift_left((uint64_t)rest << 32 | low, shift);
    return (uint64_t)quotient << 32 |
           divide_words((uint32_t)(shifted >> 32), (uint32_t)shifted, divisor << shift, &rest);
}

uint64_t __udivdi3(uint64_t dividend, uint64_t divisor)
{
    if (divisor >> 32 == 0) {
        return divide_by_word(dividend, (uint32_t)divisor);
    }
    uint64_t quotient = 0;
    int shift = __builtin_clz((uint32_t)(divisor >> 32));
    for (divisor = shift_left(divisor, shift); shift >= 0; shift--, divisor >>= 1) {
        quotient <<= 1;
        if (dividend >= divisor) {
            dividend -= divisor;
            quotient |= 1;
        }
    }
    return quotient;
}
