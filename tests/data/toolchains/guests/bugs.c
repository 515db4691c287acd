/* One mistake with memory for each word, through a real allocator; see tests/execution/languages.rs.
   Each would end a native program, or may; a word is printed when the program is still there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The compiler must not see that these are mistakes, or it may do anything with them. */
static void *volatile hidden;
static void *volatile next;

int main(int argc, char **argv) {
    const char *word = argc > 1 ? argv[1] : "";
    if (strcmp(word, "null") == 0) {
        hidden = NULL;
        char *nothing = hidden;
        nothing[16] = 'x';
        printf("wrote through null: %c\n", nothing[16]);
    } else if (strcmp(word, "overrun") == 0) {
        char *first = malloc(16), *second = malloc(16);
        strcpy(second, "second");
        hidden = first;
        memset(hidden, 'x', (size_t)(second - first) + 3);
        printf("the neighbour is %s\n", second);
    } else if (strcmp(word, "after_free") == 0) {
        hidden = malloc(64);
        free(hidden);
        next = malloc(64);
        strcpy(next, "another's");
        printf("read %s\n", (char *)hidden);
    } else if (strcmp(word, "double_free") == 0) {
        hidden = malloc(64);
        free(hidden);
        free(hidden);
        printf("freed twice\n");
    } else if (strcmp(word, "sizes") == 0) {
        printf("long %zu pointer %zu size_t %zu\n", sizeof(long), sizeof(void *), sizeof(size_t));
    }
    return 0;
}
