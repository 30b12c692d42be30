/* Answers every request alike after a delay of a log-normal distribution, and keeps when each was read and answered.
 *
 * delaying_server ANSWER DESCRIPTION LOG MEDIAN_SECONDS SIGMA STALL_AT STALL_SECONDS
 *
 * ANSWER and DESCRIPTION are files with complete HTTP answers, to a POST and at once to anything else. The port is
 * printed. From STALL_AT seconds after the first POST it does nothing for STALL_SECONDS; a negative one is never. On
 * SIGTERM pairs of 64-bit nanoseconds of CLOCK_MONOTONIC are written to LOG, in the order in which requests were read:
 * when the kernel had received a request, and when its answer was sent.
 * It never sleeps, so that no timer and no waking up adds to the delays: give it a core of its own. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 8192, RECEIVED = 16384, EVENTS = 256 };
struct connection { size_t held; char data[RECEIVED + 1]; };
struct due { int64_t at; uint32_t number; int descriptor; };
struct text { char *data; size_t length; };

static volatile sig_atomic_t ended;
static struct connection *connections[CONNECTIONS];
static struct due *heap;
static int64_t *stamps;
static size_t heap_size, heap_room = 1 << 16, seen, stamped, stamps_room = 1 << 22;

static void end(int number) { (void)number; ended = 1; }

static void fail(const char *what) { perror(what); exit(1); }

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static struct text content(const char *path) {
    struct text text = {malloc(1 << 16), 0};
    FILE *file = fopen(path, "rb");
    if (!file) fail(path);
    text.length = fread(text.data, 1, 1 << 16, file);
    fclose(file);
    return text;
}

static double standard_normal(void) { return sqrt(-2 * log(1 - drand48())) * cos(2 * M_PI * drand48()); }

static void push(struct due one) {
    if (heap_size == heap_room && !(heap = realloc(heap, (heap_room *= 2) * sizeof *heap))) fail("realloc");
    size_t place = heap_size++;
    for (; place && heap[(place - 1) / 2].at > one.at; place = (place - 1) / 2) heap[place] = heap[(place - 1) / 2];
    heap[place] = one;
}

static struct due pop(void) {
    struct due first = heap[0], last = heap[--heap_size];
    size_t place = 0, child;
    while ((child = 2 * place + 1) < heap_size) {
        if (child + 1 < heap_size && heap[child + 1].at < heap[child].at) child++;
        if (heap[child].at >= last.at) break;
        heap[place] = heap[child];
        place = child;
    }
    heap[place] = last;
    return first;
}

static void answer(int descriptor, struct text text) {
    if (send(descriptor, text.data, text.length, MSG_NOSIGNAL) != (ssize_t)text.length) close(descriptor);
}

/* Return whether the connection holds a whole request, which is taken from it. */
static int take_request(struct connection *connection, int *is_post) {
    char *end_of_head = strstr(connection->data, "\r\n\r\n");
    if (!end_of_head) return 0;
    char *length = strcasestr(connection->data, "\r\ncontent-length:");
    size_t whole = end_of_head + 4 - connection->data;
    if (length && length < end_of_head) whole += strtoul(length + 17, NULL, 10);
    if (connection->held < whole) return 0;
    *is_post = !strncmp(connection->data, "POST", 4);
    memmove(connection->data, connection->data + whole, connection->held - whole + 1);
    connection->held -= whole;
    return 1;
}

/* Receive, and set when the kernel had what came, which may be long before this process was let run. */
static ssize_t receive_stamped(int descriptor, char *data, size_t room, int64_t *moment) {
    char control[CMSG_SPACE(sizeof(struct timespec))];
    struct iovec part = {data, room};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t got = recvmsg(descriptor, &message, 0);
    for (struct cmsghdr *one = CMSG_FIRSTHDR(&message); got > 0 && one; one = CMSG_NXTHDR(&message, one)) {
        if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_TIMESTAMPNS) continue;
        struct timespec stamp, wall;
        memcpy(&stamp, CMSG_DATA(one), sizeof stamp);
        clock_gettime(CLOCK_REALTIME, &wall);
        *moment = now() - (wall.tv_sec - stamp.tv_sec) * INT64_C(1000000000) - (wall.tv_nsec - stamp.tv_nsec);
        stamped++;
    }
    return got;
}

static void receive(int descriptor, double median, double sigma, struct text description) {
    struct connection *connection = connections[descriptor];
    int64_t ready = now();
    ssize_t got = receive_stamped(descriptor, connection->data + connection->held, RECEIVED - connection->held, &ready);
    if (got <= 0) {
        close(descriptor);
        return;
    }
    connection->held += got;
    connection->data[connection->held] = 0;
    for (int is_post; take_request(connection, &is_post);) {
        if (!is_post) {
            answer(descriptor, description);
            continue;
        }
        if (seen == stamps_room && !(stamps = realloc(stamps, (stamps_room *= 2) * 2 * sizeof *stamps))) fail("realloc");
        int64_t delay = 1e9 * median * exp(sigma * standard_normal());
        stamps[2 * seen] = ready;
        stamps[2 * seen + 1] = 0;
        push((struct due){ready + delay, seen++, descriptor});
    }
}

int main(int count, char **given) {
    if (count != 8) return 2;
    struct text body = content(given[1]), description = content(given[2]);
    double median = atof(given[4]), sigma = atof(given[5]), stall_at = atof(given[6]), stall = atof(given[7]);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), poll = epoll_create1(0), yes = 1;
    /* Connections inherit it. */
    setsockopt(listener, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 4096)) fail("listen");
    getsockname(listener, (struct sockaddr *)&address, &size);
    struct epoll_event event = {EPOLLIN, {.fd = listener}}, events[EVENTS];
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    heap = malloc(heap_room * sizeof *heap);
    stamps = malloc(stamps_room * 2 * sizeof *stamps);
    signal(SIGTERM, end);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    while (!ended) {
        int found = epoll_wait(poll, events, EVENTS, 0);
        for (int place = 0; place < found; place++) {
            int descriptor = events[place].data.fd;
            if (descriptor != listener) {
                receive(descriptor, median, sigma, description);
                continue;
            }
            while ((descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                if (descriptor >= CONNECTIONS) fail("too many connections");
                if (!connections[descriptor]) connections[descriptor] = malloc(sizeof *connections[descriptor]);
                connections[descriptor]->held = 0;
                setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
                event = (struct epoll_event){EPOLLIN, {.fd = descriptor}};
                epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event);
            }
        }
        while (heap_size && heap[0].at <= now()) {
            struct due one = pop();
            answer(one.descriptor, body);
            stamps[2 * one.number + 1] = now();
        }
        if (stall_at >= 0 && seen && now() - stamps[0] >= 1e9 * stall_at) {
            usleep(1e6 * stall);
            stall_at = -1;
        }
    }
    if (seen && !stamped) {
        fputs("the kernel doesn't tell when it received what\n", stderr);
        return 1;
    }
    FILE *log = fopen(given[3], "wb");
    if (!log || fwrite(stamps, 2 * sizeof *stamps, seen, log) != seen || fclose(log)) fail(given[3]);
    return 0;
}
