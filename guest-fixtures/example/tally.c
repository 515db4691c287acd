/*
 * tally: adds up the orders of a shop.
 *
 *     tally PRICES.csv [--round nearest|down|even] < orders.txt
 *
 * PRICES.csv has the columns sku,category,name,unit,price,vat; a price is per unit and without tax, a rate in percent.
 * Each line of standard input is `ORDER SKU QUANTITY`, the quantity with up to three decimals; `#` begins a comment.
 * A summary goes to standard output and report.json into the working directory.
 *
 * Exit codes: 0 done; 1 an input cannot be read or understood; 2 wrong arguments;
 * 3 an order names a product that the price table does not have: each is named, and no report is written.
 *
 * Money is counted in cents and quantities in thousandths, all in 64 bits: `long` has 32 of them on some machines.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_INPUT = 1, EXIT_USAGE = 2, EXIT_UNKNOWN = 3 };
enum rounding { NEAREST, DOWN, EVEN };

static const char *const rounding_names[] = {"nearest", "down", "even"};

struct product {
    char sku[16];
    char category[24];
    int64_t price;   /* cents */
    int64_t vat;     /* hundredths of a percent */
};

struct sum {
    char name[24];
    int64_t lines;
    int64_t net; /* cents */
    int64_t key; /* what sums of tax are told apart by */
};

struct sums {
    struct sum *items;
    size_t count;
};

static struct product *products;
static size_t product_count;

static _Noreturn void fail(int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("tally: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(code);
}

static void *grown(void *items, size_t count, size_t size)
{
    /* Doubling at the powers of two; the size is checked, since it has only 32 bits on wasm32. */
    if ((count & (count + 1)) == 0) {
        if (count > (SIZE_MAX / size - 1) / 2)
            fail(EXIT_INPUT, "too many rows");
        items = realloc(items, (2 * count + 1) * size);
        if (!items)
            fail(EXIT_INPUT, "out of memory");
    }
    return items;
}

/* Reads a decimal number as an integer of `scale` decimals; false if it is none, too long or too large. */
static bool parse_scaled(const char *text, int scale, int64_t *value)
{
    int64_t result = 0;
    int decimals = -1;
    bool digits = false;
    for (; *text; text++) {
        if (*text == '.' && decimals < 0) {
            decimals = 0;
            continue;
        }
        if (*text < '0' || *text > '9' || decimals == scale)
            return false;
        if (__builtin_mul_overflow(result, 10, &result) || __builtin_add_overflow(result, *text - '0', &result))
            return false;
        digits = true;
        if (decimals >= 0)
            decimals++;
    }
    for (int i = decimals < 0 ? 0 : decimals; i < scale; i++)
        if (__builtin_mul_overflow(result, 10, &result))
            return false;
    *value = result;
    return digits;
}

/* Gives a * b / divisor, rounded as asked for. */
static int64_t scaled_product(int64_t a, int64_t b, int64_t divisor, enum rounding rounding)
{
    int64_t product;
    if (__builtin_mul_overflow(a, b, &product))
        fail(EXIT_INPUT, "a sum is too large");
    int64_t result = product / divisor;
    int64_t rest = product % divisor;
    bool up = rounding != DOWN && (2 * rest > divisor || (2 * rest == divisor && (rounding == NEAREST || result % 2)));
    return result + up;
}

static void add(int64_t *sum, int64_t amount)
{
    if (__builtin_add_overflow(*sum, amount, sum))
        fail(EXIT_INPUT, "a sum is too large");
}

static bool copied(char *to, size_t size, const char *from)
{
    if (strlen(from) >= size)
        return false;
    strcpy(to, from);
    return true;
}

/* Splits a line of a CSV file in place; gives the number of fields, or 0 if a quotation mark is left open. */
static size_t split_csv(char *line, char **fields, size_t limit)
{
    size_t count = 0;
    char *read = line;
    for (;;) {
        char *write = read;
        bool quoted = *read == '"';
        if (count == limit)
            return limit + 1;
        fields[count++] = write;
        if (quoted)
            read++;
        while (*read && (quoted || *read != ',')) {
            if (quoted && *read == '"') {
                if (read[1] != '"') {
                    quoted = false;
                    read++;
                    continue;
                }
                read++;
            }
            *write++ = *read++;
        }
        if (quoted)
            return 0;
        bool last = !*read++;
        *write = '\0';
        if (last)
            return count;
    }
}

/* Reads one line without its end; false at the end of the file. */
static bool read_line(FILE *file, char *line, size_t size, const char *name, int64_t number)
{
    if (!fgets(line, (int)size, file)) {
        if (ferror(file))
            fail(EXIT_INPUT, "%s: %s", name, strerror(errno));
        return false;
    }
    size_t length = strlen(line);
    if (length == size - 1 && line[length - 1] != '\n')
        fail(EXIT_INPUT, "%s, line %" PRId64 ": too long", name, number);
    line[strcspn(line, "\r\n")] = '\0';
    return true;
}

static int by_sku(const void *a, const void *b)
{
    return strcmp(((const struct product *)a)->sku, ((const struct product *)b)->sku);
}

static void read_prices(const char *path)
{
    char line[512];
    FILE *file = fopen(path, "r");
    if (!file)
        fail(EXIT_INPUT, "%s: %s", path, strerror(errno));
    for (int64_t number = 1; read_line(file, line, sizeof line, path, number); number++) {
        char *fields[6];
        if (number == 1) {
            if (strcmp(line, "sku,category,name,unit,price,vat") != 0)
                fail(EXIT_INPUT, "%s: the first line does not name the columns", path);
            continue;
        }
        struct product product = {0};
        if (split_csv(line, fields, 6) != 6 || !copied(product.sku, sizeof product.sku, fields[0])
            || !copied(product.category, sizeof product.category, fields[1])
            || !parse_scaled(fields[4], 2, &product.price) || !parse_scaled(fields[5], 2, &product.vat))
            fail(EXIT_INPUT, "%s, line %" PRId64 ": not a product", path, number);
        products = grown(products, product_count, sizeof *products);
        products[product_count++] = product;
    }
    fclose(file);
    if (product_count > 0)
        qsort(products, product_count, sizeof *products, by_sku);
    for (size_t i = 1; i < product_count; i++)
        if (by_sku(&products[i - 1], &products[i]) == 0)
            fail(EXIT_INPUT, "%s: %s stands twice", path, products[i].sku);
}

static const struct product *find_product(const char *sku)
{
    struct product wanted = {0};
    if (product_count == 0 || !copied(wanted.sku, sizeof wanted.sku, sku))
        return NULL;
    return bsearch(&wanted, products, product_count, sizeof *products, by_sku);
}

/* Adds one line to the sum of that name and key, which is made where there is none yet. */
static void count_line(struct sums *sums, const char *name, int64_t key, int64_t net)
{
    size_t i = 0;
    while (i < sums->count && (sums->items[i].key != key || strcmp(sums->items[i].name, name) != 0))
        i++;
    if (i == sums->count) {
        sums->items = grown(sums->items, sums->count, sizeof *sums->items);
        struct sum *made = &sums->items[sums->count++];
        *made = (struct sum){.key = key};
        if (!copied(made->name, sizeof made->name, name))
            fail(EXIT_INPUT, "%s: too long a name", name);
    }
    sums->items[i].lines++;
    add(&sums->items[i].net, net);
}

static int by_name_and_key(const void *a, const void *b)
{
    const struct sum *left = a, *right = b;
    int names = strcmp(left->name, right->name);
    return names ? names : (left->key > right->key) - (left->key < right->key);
}

static void sort_sums(struct sums *sums)
{
    if (sums->count > 0)
        qsort(sums->items, sums->count, sizeof *sums->items, by_name_and_key);
}

static void write_string(FILE *file, const char *text)
{
    fputc('"', file);
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\')
            fprintf(file, "\\%c", byte);
        else if (byte < 0x20)
            fprintf(file, "\\u%04x", byte);
        else
            fputc(byte, file);
    }
    fputc('"', file);
}

static void write_sums(FILE *file, const char *key, const char *name, const struct sums *sums)
{
    fprintf(file, "  \"%s\": [\n", key);
    for (size_t i = 0; i < sums->count; i++) {
        const struct sum *sum = &sums->items[i];
        fprintf(file, "    {\"%s\": ", name);
        write_string(file, sum->name);
        fprintf(file, ", \"lines\": %" PRId64 ", \"net_cents\": %" PRId64 "}%s\n", sum->lines, sum->net,
                i + 1 < sums->count ? "," : "");
    }
    fputs("  ],\n", file);
}

static void print_money(const char *label, const char *lines, int64_t cents)
{
    char amount[32];
    snprintf(amount, sizeof amount, "%" PRId64 ".%02" PRId64, cents / 100, cents % 100);
    printf("%-20s %7s %12s\n", label, lines, amount);
}

static void print_sum(const struct sum *sum)
{
    char lines[24];
    snprintf(lines, sizeof lines, "%" PRId64, sum->lines);
    print_money(sum->name, lines, sum->net);
}

static void report(struct sums *orders, struct sums *categories, struct sums *rates, enum rounding rounding)
{
    const char *path = "report.json";
    FILE *file = fopen(path, "w");
    if (!file)
        fail(EXIT_INPUT, "%s: %s", path, strerror(errno));
    int64_t net = 0, tax = 0;
    fprintf(file, "{\n  \"rounding\": \"%s\",\n", rounding_names[rounding]);
    write_sums(file, "orders", "order", orders);
    write_sums(file, "categories", "category", categories);
    fputs("  \"vat\": [\n", file);
    printf("%-20s %7s %12s\n", "category", "lines", "net");
    for (size_t i = 0; i < categories->count; i++)
        print_sum(&categories->items[i]);
    for (size_t i = 0; i < rates->count; i++)
        add(&net, rates->items[i].net);
    print_money("net", "", net);
    for (size_t i = 0; i < rates->count; i++) {
        const struct sum *rate = &rates->items[i];
        int64_t due = scaled_product(rate->net, rate->key, 10000, rounding);
        char label[32];
        snprintf(label, sizeof label, "VAT %2" PRId64 ".%02" PRId64 " %%", rate->key / 100, rate->key % 100);
        print_money(label, "", due);
        fprintf(file, "    {\"rate_percent\": %" PRId64 ".%02" PRId64 ", \"net_cents\": %" PRId64 ", \"tax_cents\": %" PRId64 "}%s\n",
                rate->key / 100, rate->key % 100, rate->net, due, i + 1 < rates->count ? "," : "");
        add(&tax, due);
    }
    int64_t gross = net;
    add(&gross, tax);
    print_money("gross", "", gross);
    fprintf(file, "  ],\n  \"net_cents\": %" PRId64 ",\n  \"tax_cents\": %" PRId64 ",\n  \"gross_cents\": %" PRId64 "\n}\n",
            net, tax, gross);
    if (fclose(file) != 0)
        fail(EXIT_INPUT, "%s: %s", path, strerror(errno));
}

static enum rounding parse_rounding(const char *name)
{
    for (size_t i = 0; name && i < sizeof rounding_names / sizeof *rounding_names; i++)
        if (strcmp(name, rounding_names[i]) == 0)
            return (enum rounding)i;
    fail(EXIT_USAGE, "--round is nearest, down or even");
}

int main(int count, char **arguments)
{
    const char *prices = NULL;
    enum rounding rounding = NEAREST;
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--round") == 0)
            rounding = parse_rounding(i + 1 < count ? arguments[++i] : NULL);
        else if (arguments[i][0] == '-' || prices)
            fail(EXIT_USAGE, "%s: not understood\nusage: tally PRICES.csv [--round nearest|down|even] < ORDERS",
                 arguments[i]);
        else
            prices = arguments[i];
    }
    if (!prices)
        fail(EXIT_USAGE, "no price table\nusage: tally PRICES.csv [--round nearest|down|even] < ORDERS");
    read_prices(prices);

    struct sums orders = {0}, categories = {0}, rates = {0};
    int unknown = 0;
    char line[512];
    for (int64_t number = 1; read_line(stdin, line, sizeof line, "orders", number); number++) {
        line[strcspn(line, "#")] = '\0';
        char *order = strtok(line, " \t");
        if (!order)
            continue;
        char *sku = strtok(NULL, " \t");
        char *amount = strtok(NULL, " \t");
        int64_t thousandths;
        if (!sku || !amount || strtok(NULL, " \t") || !parse_scaled(amount, 3, &thousandths))
            fail(EXIT_INPUT, "orders, line %" PRId64 ": not `ORDER SKU QUANTITY`", number);
        const struct product *product = find_product(sku);
        if (!product) {
            fprintf(stderr, "tally: orders, line %" PRId64 ": order %s names %s, which has no price\n", number, order, sku);
            unknown++;
            continue;
        }
        int64_t net = scaled_product(product->price, thousandths, 1000, rounding);
        count_line(&orders, order, 0, net);
        count_line(&categories, product->category, 0, net);
        count_line(&rates, "", product->vat, net);
    }
    if (unknown)
        return EXIT_UNKNOWN;
    sort_sums(&categories);
    sort_sums(&rates);
    report(&orders, &categories, &rates, rounding);
    return 0;
}
