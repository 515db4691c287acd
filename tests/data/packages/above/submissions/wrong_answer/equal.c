#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    long number, other, count = 0;
    FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
    if (!file || scanf("%ld", &number) != 1) return 1;
    while (fscanf(file, "%ld", &other) == 1) count += other >= number;
    printf("%ld\n", count);
    return 0;
}
