#include <stdio.h>
#include <stdlib.h>

int main(void) {
    int n;
    if (scanf("%d", &n) != 1) return 1;
    if (n == 49) abort();
    for (int d = 2; (long long)d * d <= n; d++) {
        if (n % d == 0) {
            printf("%d %d\n", d, n / d);
            return 0;
        }
    }
    puts("prime");
    return 0;
}
