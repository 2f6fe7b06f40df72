/* The least that a program on sockets can do with the same packets: it answers some of them.

   echo FEED_HOST FEED_PORT ORDER_HOST ORDER_PORT CORE LENGTH TYPE

   Polls one UDP socket; every packet whose first message is of TYPE is answered with LENGTH bytes on the order connection. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOLDUDP64_HEADER = 20, BLOCK_LENGTH = 2, BATCH = 32 };

int main(int argc, char **argv) {
    if (argc != 8) return 2;
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(atoi(argv[5]), &cores);
    sched_setaffinity(0, sizeof cores, &cores);
    int one = 1, feed = socket(AF_INET, SOCK_DGRAM, 0), order = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))}, to = {.sin_family = AF_INET};
    inet_aton(argv[1], &at.sin_addr);
    inet_aton(argv[3], &to.sin_addr);
    to.sin_port = htons(atoi(argv[4]));
    if (bind(feed, (struct sockaddr *)&at, sizeof at)) return perror("bind"), 1;
    if (connect(order, (struct sockaddr *)&to, sizeof to)) return perror("connect"), 1;
    setsockopt(order, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    static char bytes[BATCH][2048], answer[256], scrap[65536];
    struct mmsghdr messages[BATCH];
    struct iovec vectors[BATCH];
    memset(messages, 0, sizeof messages);
    for (int n = 0; n < BATCH; n++) {
        vectors[n] = (struct iovec){bytes[n], sizeof bytes[n]};
        messages[n].msg_hdr.msg_iov = &vectors[n];
        messages[n].msg_hdr.msg_iovlen = 1;
    }
    for (;;) {
        int count = recvmmsg(feed, messages, BATCH, MSG_DONTWAIT, NULL);
        for (int n = 0; n < count; n++)
            if (bytes[n][MOLDUDP64_HEADER + BLOCK_LENGTH] == argv[7][0] &&
                send(order, answer, atoi(argv[6]), MSG_NOSIGNAL) < 0)
                return 0;
        if (recv(order, scrap, sizeof scrap, MSG_DONTWAIT) == 0) return 0;
    }
}
