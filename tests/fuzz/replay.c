/* replay.c - feed a fuzz entry its seeds, where there is no libFuzzer. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define SEED_MAX (1024 * 1024) /* bytes */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whether the seed could be read; what is wrong with the entry aborts. */
static int
feed(const char *name)
{
    static uint8_t data[SEED_MAX];
    char path[4096];
    size_t size;
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", FUZZ_SEEDS, name);
    file = fopen(path, "rb");
    if (!file)
        return 0;
    size = fread(data, 1, sizeof data, file);
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    return 1;
}

int
main(void)
{
    DIR *folder = opendir(FUZZ_SEEDS);
    struct dirent *entry;
    int count = 0;

    if (!folder) {
        puts("Bail out! no folder " FUZZ_SEEDS);
        return EXIT_FAILURE;
    }
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    while ((entry = readdir(folder))) {
        if (entry->d_name[0] == '.')
            continue;
        printf("%s %d - %s\n", feed(entry->d_name) ? "ok" : "not ok", ++count,
               entry->d_name);
        fflush(stdout);
    }
    closedir(folder);
    printf("1..%d\n", count);
    return EXIT_SUCCESS;
}
