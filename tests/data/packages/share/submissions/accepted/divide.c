#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    double number;
    if (argc != 2 || scanf("%lf", &number) != 1) return 1;
    printf("%.15g\n", number / atof(argv[1]));
    return 0;
}
