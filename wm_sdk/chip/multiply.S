/* The low 64 bits of a product of 64-bit numbers, r0 and r1 by r2 and r3, as libgcc has it. */
    .text
    .global __muldi3
    .type __muldi3, @function
__muldi3:
    mult r1, r2
    mult r3, r0
    addu r3, r1
    mul.u32 r0, r0, r2
    addu r1, r3
    rts
    .size __muldi3, . - __muldi3
