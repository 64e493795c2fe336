/* Prints the rows of the table in docs/board-commands.md. */
#include <stdio.h>

#define NEIGHBOUR(command, handler, usage, truth, does) show(command, usage, truth, does);

static void show(const char *command, const char *usage, const char *truth, const char *does)
{
    printf("| `%s` | %s | %s |\n", usage ? usage : command, truth, does);
}

int main(void)
{
#include "neighbour_table.h"
    return 0;
}
