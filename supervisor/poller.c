#include "supervisor/poller.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

int chr_poller_init(struct chr_poller *poller)
{
	*poller = (struct chr_poller){.epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
	return poller->epoll_fd < 0 ? -errno : 0;
}

void chr_poller_finish(struct chr_poller *poller)
{
	close(poller->epoll_fd);
	poller->epoll_fd = -1;
}

int chr_poller_add(struct chr_poller *poller, struct chr_poll *poll)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = poll};
	return epoll_ctl(poller->epoll_fd, EPOLL_CTL_ADD, poll->fd, &event) ? -errno : 0;
}

void chr_poller_remove(struct chr_poller *poller, struct chr_poll *poll)
{
	epoll_ctl(poller->epoll_fd, EPOLL_CTL_DEL, poll->fd, NULL);
	for (int i = 0; i < poller->current_count; i++)
		if (poller->current[i] == poll)
			poller->current[i] = NULL;
}

int chr_poller_wait(struct chr_poller *poller, int timeout_ms)
{
	enum { MOST = sizeof poller->current / sizeof poller->current[0] };
	struct epoll_event event[MOST];
	int count = epoll_wait(poller->epoll_fd, event, MOST, timeout_ms);
	if (count < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < count; i++)
		poller->current[i] = event[i].data.ptr;
	poller->current_count = count;
	for (int i = 0; i < count; i++)
		if (poller->current[i])
			poller->current[i]->ready(poller->current[i]->self);
	poller->current_count = 0;
	return 0;
}

int chr_poller_run(struct chr_poller *poller)
{
	poller->stop = false;
	while (!poller->stop) {
		int rc = chr_poller_wait(poller, -1);
		if (rc)
			return rc;
	}
	return 0;
}

void chr_poller_stop(struct chr_poller *poller)
{
	poller->stop = true;
}
