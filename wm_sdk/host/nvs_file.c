/* See nvs_file.h. */
#define _GNU_SOURCE
#include "nvs_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LOG_TAG "nvs"
#include "wm_log.h"

#define PATH_BYTES 4096
/* The descriptor of the memory that an executed successor inherits. */
#define INHERITED "W800_SIM_NVS"

static struct {
    char path[PATH_BYTES];
    char fresh[PATH_BYTES];
    /* Without a path. */
    int memory;
} place = {.memory = -1};

static int open_memory(void)
{
    int memory = -1;
    const char *inherited = getenv(INHERITED);
    if (!inherited || sscanf(inherited, "%d", &memory) != 1) {
        memory = memfd_create("nvs", MFD_CLOEXEC);
    }
    unsetenv(INHERITED);
    return memory;
}

static bool use_path(const char *path)
{
    int length = snprintf(place.path, sizeof place.path, "%s", path);
    snprintf(place.fresh, sizeof place.fresh, "%s.new", path);
    errno = ENAMETOOLONG;
    return length > 0 && (size_t)length + sizeof ".new" <= sizeof place.path;
}

bool nvs_file_open(const char *path)
{
    place.path[0] = '\0';
    if (path) {
        int file = use_path(path) ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
        if (file < 0) {
            fprintf(stderr, "w800-sim: --nvs %s: %s\n", path, strerror(errno));
            return false;
        }
        close(file);
        return true;
    }
    place.memory = open_memory();
    if (place.memory < 0) {
        perror("w800-sim: memory for the NVS");
    }
    return place.memory >= 0;
}

static size_t read_all(int file, void *to, size_t size)
{
    size_t done = 0;
    ssize_t got = 1;
    while (done < size && got > 0) {
        got = pread(file, (char *)to + done, size - done, (off_t)done);
        done += got > 0 ? (size_t)got : 0;
    }
    return done;
}

size_t nvs_file_load(void *image, size_t size)
{
    if (!place.path[0]) {
        return read_all(place.memory, image, size);
    }
    int file = open(place.path, O_RDONLY | O_CLOEXEC);
    size_t length = file < 0 ? 0 : read_all(file, image, size);
    if (file >= 0) {
        close(file);
    }
    return length;
}

static bool write_all(int file, const void *image, size_t length)
{
    size_t done = 0;
    ssize_t put = 1;
    while (done < length && put > 0) {
        put = pwrite(file, (const char *)image + done, length - done, (off_t)done);
        done += put > 0 ? (size_t)put : 0;
    }
    return done == length;
}

static bool replace_file(const void *image, size_t length)
{
    int file = open(place.fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool written = file >= 0 && write_all(file, image, length);
    if (file >= 0) {
        written = close(file) == 0 && written;
    }
    if (!written || rename(place.fresh, place.path) != 0) {
        wm_log_error("%s: %s", place.fresh, strerror(errno));
        unlink(place.fresh);
        return false;
    }
    return true;
}

bool nvs_file_save(const void *image, size_t length)
{
    if (place.path[0]) {
        return replace_file(image, length);
    }
    return write_all(place.memory, image, length) && ftruncate(place.memory, (off_t)length) == 0;
}

void nvs_file_keep_over_exec(void)
{
    char inherited[16];
    if (place.memory >= 0) {
        fcntl(place.memory, F_SETFD, 0);
        snprintf(inherited, sizeof inherited, "%d", place.memory);
        setenv(INHERITED, inherited, 1);
    }
}
