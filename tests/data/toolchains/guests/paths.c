/* Names files in both ways, and shows its arguments, a variable and its input; see tests/execution/languages.rs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    if (file == NULL || fputs(text, file) == EOF || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

static void show(const char *what, const char *path) {
    char text[64];
    FILE *file = fopen(path, "r");
    if (file == NULL || fgets(text, sizeof text, file) == NULL) {
        perror(path);
        exit(1);
    }
    fclose(file);
    printf("%s: %s\n", what, text);
}

int main(int argc, char **argv) {
    char path[256], line[64];
    const char *here = getenv("PWD"), *granted = getenv("GRANTED");
    printf("args:");
    for (int i = 1; i < argc; i++) printf(" [%s]", argv[i]);
    printf("\nvariable: %s\n", granted);
    put("relative.txt", "relative");
    snprintf(path, sizeof path, "%s/absolute.txt", here);
    put(path, "absolute");
    snprintf(path, sizeof path, "%s/relative.txt", here);
    show("through the absolute name", path);
    show("through the relative name", "absolute.txt");
    printf("input: %s\n", fgets(line, sizeof line, stdin));
    return 7;
}
