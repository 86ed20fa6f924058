#include "common/wake.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static bool readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

START_TEST(wake_is_seen_until_cleared)
{
	int fd = chr_wake_create();

	ck_assert_int_ge(fd, 0);
	ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	ck_assert(!readable(fd));
	chr_wake_clear(fd); /* does not block */
	chr_wake(fd);
	chr_wake(fd);
	ck_assert(readable(fd));
	chr_wake_clear(fd);
	ck_assert(!readable(fd));
	close(fd);
}
END_TEST

START_TEST(wake_of_a_full_eventfd_does_not_block)
{
	const uint64_t most = UINT64_MAX - 1;
	int fd = chr_wake_create();

	ck_assert_int_eq(write(fd, &most, sizeof most), sizeof most);
	chr_wake(fd);
	ck_assert(readable(fd));
	close(fd);
}
END_TEST

START_TEST(descriptors_pass)
{
	static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET};
	unsigned char tag = 0;
	struct stat sent, got;
	int pair[2], fd, null = open("/dev/null", O_RDWR);

	ck_assert_int_eq(socketpair(AF_UNIX, types[_i], 0, pair), 0);
	ck_assert_int_eq(chr_fd_receive(pair[1], &tag), -EAGAIN);
	ck_assert_int_eq(chr_fd_send(pair[0], null, CHR_FD_TAG_JACK), 0);
	ck_assert_int_eq(chr_fd_send(pair[0], pair[0], CHR_FD_TAG_TWIN), 0);
	fd = chr_fd_receive(pair[1], &tag);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(tag, CHR_FD_TAG_JACK);
	ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	fstat(null, &sent);
	fstat(fd, &got);
	ck_assert_uint_eq(sent.st_ino, got.st_ino);
	ck_assert_uint_eq(sent.st_rdev, got.st_rdev);
	fd = chr_fd_receive(pair[1], &tag);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(tag, CHR_FD_TAG_TWIN);
	close(fd); /* a copy of pair[0] that would keep the pair open */
	close(pair[0]);
	ck_assert_int_eq(chr_fd_receive(pair[1], &tag), -EPIPE);
}
END_TEST

START_TEST(send_to_nobody_fails_quietly)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	close(pair[1]);
	ck_assert_int_eq(chr_fd_send(pair[0], pair[0], CHR_FD_TAG_JACK), -EPIPE);
}
END_TEST

START_TEST(send_never_blocks)
{
	int pair[2], rc;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	do
		rc = chr_fd_send(pair[0], STDIN_FILENO, CHR_FD_TAG_JACK);
	while (rc == 0);
	ck_assert(rc == -EAGAIN || rc == -ETOOMANYREFS);
}
END_TEST

START_TEST(bytes_without_a_descriptor_are_refused)
{
	unsigned char tag;
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	ck_assert_int_eq(write(pair[0], "J", 1), 1);
	ck_assert_int_eq(chr_fd_receive(pair[1], &tag), -EPROTO);
}
END_TEST

/* Sends two descriptors in one message. */
static void send_two(int socket, int a, int b)
{
	union {
		struct cmsghdr header;
		unsigned char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control = {0};
	int fds[2] = {a, b};
	struct iovec iov = {.iov_base = "J", .iov_len = 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
	struct cmsghdr *header = CMSG_FIRSTHDR(&msg);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof fds);
	memcpy(CMSG_DATA(header), fds, sizeof fds);
	ck_assert_int_eq(sendmsg(socket, &msg, 0), 1);
}

START_TEST(a_second_descriptor_does_not_leak)
{
	unsigned char tag;
	int pair[2], fd, next, after;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	next = dup(pair[0]);
	close(next);
	send_two(pair[0], pair[0], pair[1]);
	fd = chr_fd_receive(pair[1], &tag);
	if (fd >= 0)
		close(fd);
	after = dup(pair[0]);
	ck_assert_int_eq(after, next);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wake");
	TCase *tcase = tcase_create("wake");

	tcase_add_test(tcase, wake_is_seen_until_cleared);
	tcase_add_test(tcase, wake_of_a_full_eventfd_does_not_block);
	tcase_add_loop_test(tcase, descriptors_pass, 0, 2);
	tcase_add_test(tcase, send_to_nobody_fails_quietly);
	tcase_add_test(tcase, send_never_blocks);
	tcase_add_test(tcase, bytes_without_a_descriptor_are_refused);
	tcase_add_test(tcase, a_second_descriptor_does_not_leak);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
