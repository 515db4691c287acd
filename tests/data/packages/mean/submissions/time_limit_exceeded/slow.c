#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
    int n;
    if (scanf("%d", &n) != 1) return 1;
    double sum = 0;
    long long whole = 0;
    for (int i = 0; i < n; i++) {
        long x;
        if (scanf("%ld", &x) != 1) return 1;
        sum += x;
        whole += x;
    }
    volatile int go = n == 4;
    while (go) {
    }
    (void)whole;
    printf("%.9f\n", sum / n);
    return 0;
}
