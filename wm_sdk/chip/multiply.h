/*
 * Mbed TLS's step of a long multiplication, for a code generator that calls a function for every product of 64 bits:
 * the instructions that the vendor's GCC makes of the same step in C. Included before Mbed TLS's files.
 */
#ifndef CHIP_MULTIPLY_H
#define CHIP_MULTIPLY_H

#define MULADDC_X1_INIT {

/* `*d++ += *s++ * b + c`, and what is above it goes to `c`. */
#define MULADDC_X1_CORE                                                                                                \
    __asm__ volatile("ld32.w r2, (%[s], 0)\n\t"                                                                        \
                     "mul.u32 r2, r2, %[b]\n\t"                                                                        \
                     "ld32.w r12, (%[d], 0)\n\t"                                                                       \
                     "addu32 r2, r2, %[c]\n\t"                                                                         \
                     "cmphs32 r2, %[c]\n\t"                                                                            \
                     "mvcv32 r13\n\t"                                                                                  \
                     "addu32 r3, r3, r13\n\t"                                                                          \
                     "addu32 r2, r2, r12\n\t"                                                                          \
                     "cmphs32 r2, r12\n\t"                                                                             \
                     "mvcv32 r13\n\t"                                                                                  \
                     "addu32 %[c], r3, r13\n\t"                                                                        \
                     "st32.w r2, (%[d], 0)\n\t"                                                                        \
                     "addi32 %[s], %[s], 4\n\t"                                                                        \
                     "addi32 %[d], %[d], 4\n\t"                                                                        \
                     : [s] "+r"(s), [d] "+r"(d), [c] "+r"(c)                                                           \
                     : [b] "r"(b)                                                                                      \
                     : "r2", "r3", "r12", "r13", "cc", "memory");

#define MULADDC_X1_STOP }

#endif
