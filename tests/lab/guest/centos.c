// Copyright (c) 2026, dom0.xen contributors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

/*
 * The lab's test guest: tells a moved guest from a restarted or a corrupted one.
 *
 * It keeps rewriting pages of a known pattern at a chosen rate and answers questions over UDP and TCP. Each page
 * carries its index, its generation, the boot's seed and a checksum, and its body follows from those; the generation
 * each page must have is kept in a table of its own, and the sum of all generations in a third place. So a page with
 * wrong content, a page of another index and a page left over from an earlier generation are all found.
 *
 * Requests are lines "WORD [ARGUMENT] NONCE": ask, verify (answers after one whole pass over the memory), rate N; and
 * two that prove the detector itself: corrupt (flips one bit) and stale (puts an older page back).
 * The answer is one line of JSON that repeats the nonce.
 *
 * With a disk a process of its own writes a stamp into one block after the other, past every cache. A stamp carries its
 * number, the boot's seed, the time, and the checksum of the stamp before, so that a gap, a second writer and a write
 * that was lost or came late are all found in what is on the disk.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, WORDS = PAGE / 8, HEAD = 4, CLIENTS = 4, LINE = 256, WAITING = 8, NONCE = 64, STAMP_MS = 50 };

#define STAMP_MARK 0x706d6174736d6f64u /* "domstamp", as it lies on the disk */

struct waiting { /* a verify request that is answered when its pass is complete */
	int used, tcp, socket;
	uint64_t until;
	struct sockaddr_in peer;
	char nonce[NONCE];
};

static uint64_t *memory;
static uint32_t *generation;
static uint64_t total, seed, counter, writes, verified, swept, bad, rate;
static uint64_t pages, write_at, verify_at, passes, started_ms;
static int64_t first_bad = -1;
static char boot_id[40];
static struct waiting waiting[WAITING];
static volatile uint64_t *stamps; /* shared with the process that writes them: how many, and errno of a failure */
static int clients[CLIENTS];
static char lines[CLIENTS][LINE];
static size_t used[CLIENTS];

static uint64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static uint64_t mix(uint64_t x)
{
	x ^= x >> 30; x *= 0xbf58476d1ce4e5b9u;
	x ^= x >> 27; x *= 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static uint64_t body_start(uint64_t index, uint64_t gen)
{
	return mix(seed ^ mix(index * 0x9e3779b97f4a7c15u + gen)) | 1;
}

static uint64_t step(uint64_t x)
{
	x ^= x << 13; x ^= x >> 7; x ^= x << 17;
	return x;
}

static void write_page(uint64_t index)
{
	uint64_t *page = memory + index * WORDS, gen = ++generation[index], x = body_start(index, gen), sum = 0;

	total++;
	page[0] = index;
	page[1] = gen;
	page[2] = seed;
	for (int i = HEAD; i < WORDS; i++) {
		x = step(x);
		page[i] = x;
		sum = (sum ^ x) * 0x100000001b3u;
	}
	page[3] = sum;
	writes++;
}

static void verify_page(uint64_t index)
{
	const uint64_t *page = memory + index * WORDS;
	uint64_t x = body_start(index, generation[index]), sum = 0, wrong;

	wrong = (page[0] ^ index) | (page[1] ^ generation[index]) | (page[2] ^ seed);
	for (int i = HEAD; i < WORDS; i++) {
		x = step(x);
		wrong |= page[i] ^ x;
		sum = (sum ^ page[i]) * 0x100000001b3u;
	}
	wrong |= page[3] ^ sum;
	verified++;
	if (wrong) {
		bad++;
		if (first_bad < 0)
			first_bad = (int64_t)index;
	}
}

static int table_good(void)
{
	uint64_t sum = 0;
	for (uint64_t i = 0; i < pages; i++)
		sum += generation[i];
	return sum == total;
}

static void answer(int socket, const struct sockaddr_in *peer, const char *nonce)
{
	char text[768];
	int n = snprintf(text, sizeof text,
		"{\"guest\": \"centos\", \"nonce\": \"%s\", \"boot_id\": \"%s\", \"counter\": %llu, \"uptime_ms\": %llu, "
		"\"rate\": %llu, \"pages\": %llu, \"writes\": %llu, \"verified\": %llu, \"passes\": %llu, \"bad\": %llu, "
		"\"first_bad\": %lld, \"stamps\": %llu, \"disk_error\": %llu, \"memory_verified\": %s}\n",
		nonce, boot_id, (unsigned long long)counter, (unsigned long long)(now_us() / 1000 - started_ms),
		(unsigned long long)rate, (unsigned long long)pages, (unsigned long long)writes,
		(unsigned long long)verified, (unsigned long long)passes, (unsigned long long)bad, (long long)first_bad,
		(unsigned long long)stamps[0], (unsigned long long)stamps[1],
		bad == 0 && table_good() ? "true" : "false");
	if (peer)
		sendto(socket, text, (size_t)n, MSG_DONTWAIT, (const struct sockaddr *)peer, sizeof *peer);
	else
		send(socket, text, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void request(int socket, const struct sockaddr_in *peer, const char *line)
{
	char word[16] = "", nonce[NONCE] = "";
	unsigned long long number;

	if (sscanf(line, "rate %llu %63[0-9a-zA-Z]", &number, nonce) == 2) {
		rate = number;
		answer(socket, peer, nonce);
		return;
	}
	if (sscanf(line, "%15s %63[0-9a-zA-Z]", word, nonce) != 2)
		return;
	if (!strcmp(word, "ask")) {
		answer(socket, peer, nonce);
	} else if (!strcmp(word, "corrupt")) {
		memory[pages / 2 * WORDS + WORDS - 1] ^= 1;
		answer(socket, peer, nonce);
	} else if (!strcmp(word, "stale")) {
		uint64_t older[WORDS];
		memcpy(older, memory, PAGE);
		write_page(0);
		memcpy(memory, older, PAGE);
		answer(socket, peer, nonce);
	} else if (!strcmp(word, "verify")) {
		struct waiting *free_place = NULL;
		for (int i = 0; i < WAITING; i++) {
			if (!waiting[i].used)
				free_place = &waiting[i];
			else if (!strcmp(waiting[i].nonce, nonce))
				return; /* the same request sent again */
		}
		if (!free_place)
			return;
		*free_place = (struct waiting){ .used = 1, .tcp = !peer, .socket = socket, .until = swept + pages };
		if (peer)
			free_place->peer = *peer;
		strcpy(free_place->nonce, nonce);
	}
}

static void answer_waiting(void)
{
	for (int i = 0; i < WAITING; i++)
		if (waiting[i].used && swept >= waiting[i].until) {
			answer(waiting[i].socket, waiting[i].tcp ? NULL : &waiting[i].peer, waiting[i].nonce);
			waiting[i].used = 0;
		}
}

static int anyone_waiting(void)
{
	for (int i = 0; i < WAITING; i++)
		if (waiting[i].used)
			return 1;
	return 0;
}

static void drop(int which)
{
	for (int i = 0; i < WAITING; i++)
		if (waiting[i].used && waiting[i].tcp && waiting[i].socket == clients[which])
			waiting[i].used = 0;
	close(clients[which]);
	clients[which] = -1;
}

static void read_client(int which)
{
	ssize_t n = recv(clients[which], lines[which] + used[which], LINE - 1 - used[which], MSG_DONTWAIT);
	char *end;

	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			drop(which);
		return;
	}
	used[which] += (size_t)n;
	lines[which][used[which]] = 0;
	while ((end = strchr(lines[which], '\n'))) {
		*end = 0;
		request(clients[which], NULL, lines[which]);
		used[which] -= (size_t)(end + 1 - lines[which]);
		memmove(lines[which], end + 1, used[which] + 1);
	}
	if (used[which] == LINE - 1)
		drop(which);
}

static void serve(int udp, int tcp, int timeout_ms)
{
	struct pollfd fds[2 + CLIENTS] = { { udp, POLLIN, 0 }, { tcp, POLLIN, 0 } };

	for (int i = 0; i < CLIENTS; i++)
		fds[2 + i] = (struct pollfd){ clients[i], POLLIN, 0 };
	if (poll(fds, 2 + CLIENTS, timeout_ms) <= 0)
		return;
	if (fds[0].revents) {
		char line[LINE];
		struct sockaddr_in peer;
		socklen_t size = sizeof peer;
		ssize_t n = recvfrom(udp, line, sizeof line - 1, MSG_DONTWAIT, (struct sockaddr *)&peer, &size);
		if (n > 0) {
			line[n] = 0;
			request(udp, &peer, line);
		}
	}
	for (int i = 0; i < CLIENTS; i++)
		if (fds[2 + i].revents)
			read_client(i);
	if (fds[1].revents) {
		int client = accept4(tcp, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		for (int i = 0; client >= 0 && i < CLIENTS; i++)
			if (clients[i] < 0) {
				clients[i] = client;
				used[i] = 0;
				client = -1;
			}
		if (client >= 0)
			close(client);
	}
}

static int listener(int type, uint16_t port)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof any) || (type == SOCK_STREAM && listen(fd, 4))) {
		perror("listen");
		exit(1);
	}
	return fd;
}

static void *zeroed(size_t size, int sharing)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return p;
}

static void read_boot_id(void)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY);
	if (fd < 0 || read(fd, boot_id, 36) != 36) {
		perror("boot_id");
		exit(1);
	}
	close(fd);
	for (int i = 0; i < 36; i++)
		seed = mix(seed ^ (uint64_t)boot_id[i]);
}

static void write_stamps(const char *disk)
{
	int fd = open(disk, O_WRONLY | O_DIRECT | O_DSYNC | O_CLOEXEC);
	uint64_t *block = zeroed(PAGE, MAP_PRIVATE);

	for (uint64_t number = 0; fd >= 0; number++) {
		uint64_t sum = 0;
		block[0] = STAMP_MARK;
		block[1] = number;
		block[2] = seed;
		block[3] = now_us();
		for (int i = 0; i < WORDS; i++)
			sum = i == 5 ? sum : (sum ^ block[i]) * 0x100000001b3u;
		block[5] = sum;
		if (pwrite(fd, block, PAGE, (off_t)(number * PAGE)) != PAGE)
			break;
		block[4] = sum;
		stamps[0] = number + 1;
		poll(NULL, 0, STAMP_MS);
	}
	stamps[1] = (uint64_t)(errno ? errno : EIO);
}

static void start_stamps(const char *disk)
{
	pid_t child = fork();

	if (child < 0) {
		perror("fork");
		exit(1);
	}
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		write_stamps(disk);
		_exit(1);
	}
}

int main(int argc, char **argv)
{
	if (argc != 4 && argc != 5) {
		fprintf(stderr, "usage: %s PORT PAGES RATE [DISK]   (pages in use; pages rewritten a second)\n", argv[0]);
		return 2;
	}
	uint16_t port = (uint16_t)atoi(argv[1]);
	pages = strtoull(argv[2], NULL, 10);
	rate = strtoull(argv[3], NULL, 10);
	if (pages == 0)
		return 2;
	read_boot_id();
	stamps = zeroed(PAGE, MAP_SHARED);
	if (argc == 5)
		start_stamps(argv[4]);
	memory = zeroed(pages * PAGE, MAP_PRIVATE);
	generation = zeroed(pages * sizeof *generation, MAP_PRIVATE);
	for (uint64_t i = 0; i < pages; i++)
		write_page(i);
	for (int i = 0; i < CLIENTS; i++)
		clients[i] = -1;
	int udp = listener(SOCK_DGRAM, port), tcp = listener(SOCK_STREAM, port);
	uint64_t last = now_us(), tick = last, owed_us = 0;

	started_ms = last / 1000;
	for (int busy = 0;;) {
		/* few wake-ups: each costs the emulated host underneath far more than the work done here */
		serve(udp, tcp, busy ? 0 : 40);
		uint64_t now = now_us(), end = now + 4000;
		/* what was missed while the guest stood still is not made up for */
		owed_us += (now - last > 100000 ? 100000 : now - last) * rate;
		last = now;
		for (; now - tick >= 10000; tick = now - tick > 1000000 ? now : tick + 10000)
			counter++;
		busy = 0;
		for (; owed_us >= 1000000; owed_us -= 1000000) {
			if (now_us() > end) {
				busy = 1;
				owed_us = owed_us > 100000 * rate ? 100000 * rate : owed_us;
				break;
			}
			verify_page(write_at);
			write_page(write_at);
			write_at = (write_at + 1) % pages;
		}
		/* one page a turn in quiet times, as many as fit when somebody waits for a whole pass */
		end = now_us() + 4000;
		do {
			verify_page(verify_at);
			verify_at = (verify_at + 1) % pages;
			swept++;
			passes += verify_at == 0;
		} while (anyone_waiting() && now_us() < end);
		busy |= anyone_waiting();
		answer_waiting();
	}
}
