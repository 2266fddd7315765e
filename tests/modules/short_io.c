/* short_io.c - a kernel that takes and gives little at a time. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Preloaded.  At most XA_SHORT_IO bytes go in one call, every other call that
 * may wait is interrupted first, and each close() of a descriptor, which it
 * does, complains.  Not of what is peeked: the kernel shows all that is there.
 * Not of LMDB's files, which take a part only when the disk is full.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/types.h>

#define REAL(name) ((name##_fn *)(void (*)(void))dlsym(RTLD_NEXT, #name))

typedef ssize_t read_fn(int, void *, size_t);
typedef ssize_t write_fn(int, const void *, size_t);
typedef ssize_t recv_fn(int, void *, size_t, int);
typedef ssize_t send_fn(int, const void *, size_t, int);
typedef int close_fn(int);

__attribute__((visibility("default"))) read_fn read;
__attribute__((visibility("default"))) write_fn write;
__attribute__((visibility("default"))) recv_fn recv;
__attribute__((visibility("default"))) send_fn send;
__attribute__((visibility("default"))) close_fn close;

static size_t
cut(size_t len)
{
    const char *text = getenv("XA_SHORT_IO");
    size_t most = text ? strtoul(text, NULL, 10) : 0;

    return most > 0 && len > most ? most : len;
}

static int
is_interrupted(void)
{
    static unsigned calls;

    errno = EINTR;
    return calls++ % 2 == 0;
}

ssize_t
read(int fd, void *out, size_t len)
{
    return REAL(read)(fd, out, cut(len));
}

ssize_t
write(int fd, const void *bytes, size_t len)
{
    return is_interrupted() ? -1 : REAL(write)(fd, bytes, cut(len));
}

ssize_t
recv(int fd, void *out, size_t len, int flags)
{
    if (is_interrupted())
        return -1;
    return REAL(recv)(fd, out, flags & MSG_PEEK ? len : cut(len), flags);
}

ssize_t
send(int fd, const void *bytes, size_t len, int flags)
{
    return is_interrupted() ? -1 : REAL(send)(fd, bytes, cut(len), flags);
}

int
close(int fd)
{
    if (REAL(close)(fd) != 0)
        return -1;
    errno = EIO;
    return -1;
}
