#include <stdio.h>

/* One is no factor here. */
int main(void) {
    int n;
    if (scanf("%d", &n) != 1) return 1;
    printf("1 %d\n", n);
    return 0;
}
