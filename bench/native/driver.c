/* The exchange in a tick-to-order measurement: sends a script, takes the time of each answer.

   driver SCRIPT FEED_HOST FEED_PORT LISTEN_HOST LISTEN_PORT CORE

   SCRIPT is records: kind (1 feed, 2 order connection), expected bytes of answer, length, then that many bytes. The time between the
   call that sends a feed packet and the return of the one that brought the last byte of its answer goes to standard
   output, a line of nanoseconds each. It polls; everything is sent only when the answer before it is there. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SPOILED = 3 };

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + t.tv_nsec;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void until(uint64_t moment) {
    while (now() < moment) {
    }
}

int main(int argc, char **argv) {
    if (argc != 7) {
        fprintf(stderr, "driver SCRIPT FEED_HOST FEED_PORT LISTEN_HOST LISTEN_PORT CORE\n");
        return 2;
    }
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(atoi(argv[6]), &cores);
    sched_setaffinity(0, sizeof cores, &cores);
    FILE *script = fopen(argv[1], "rb");
    if (!script) fail(argv[1]);

    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0), feed = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[3]))}, at = {.sin_family = AF_INET};
    inet_aton(argv[2], &to.sin_addr);
    inet_aton(argv[4], &at.sin_addr);
    at.sin_port = htons(atoi(argv[5]));
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 1)) fail("listen");
    if (connect(feed, (struct sockaddr *)&to, sizeof to)) fail("feed");
    fprintf(stderr, "ready\n");
    int order = accept(listener, NULL, NULL);
    if (order < 0) fail("accept");
    setsockopt(order, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);

    uint32_t head[3];
    static char bytes[65536], answer[65536];
    while (fread(head, 4, 3, script) == 3) {
        uint32_t expected = head[1], length = head[2], got = 0;
        if (fread(bytes, 1, length, script) != length) fail("script");
        until(now() + 30000);
        // Bytes that nobody waited for would be taken for the answer to this packet: whoever answers was stopped for so long that
        // it saw two of our packets in the wrong order.
        if (expected && head[0] == 1 && recv(order, answer, 1, MSG_DONTWAIT | MSG_PEEK) > 0) return SPOILED;
        uint64_t begin = now();
        if (head[0] == 1) {
            if (send(feed, bytes, length, 0) < 0 && errno != ECONNREFUSED) fail("send");
        } else if (send(order, bytes, length, MSG_NOSIGNAL) < 0)
            fail("send");
        uint64_t end = begin;
        while (got < expected) {
            ssize_t n = recv(order, answer, sizeof answer, MSG_DONTWAIT);
            if (n > 0) {
                got += n;
                end = now();
            } else if (n == 0 || (errno != EAGAIN && errno != EINTR))
                fail("the order connection");
            if (now() - begin > 5000000000u) {
                fprintf(stderr, "%u of %u bytes of an answer in 5 s\n", got, expected);
                return 1;
            }
        }
        if (expected && head[0] == 1) printf("%llu\n", (unsigned long long)(end - begin));
    }
    return 0;
}
