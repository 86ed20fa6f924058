#include "supervisor/patience.h"

#include "common/log.h"
#include "common/wake.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

static void *stand_by(void *arg)
{
	const struct chr_patience *patience = arg;
	/* the signal is not read: should the start succeed after all, the conductor finds it */
	struct pollfd fds[] = {{.fd = patience->stop_fd, .events = POLLIN}, {.fd = patience->signal_fd, .events = POLLIN}};
	if (poll(fds, 2, CHR_PATIENCE_TELL_MS) == 0) {
		chr_warn("the JACK server does not answer, it hangs perhaps: still waiting (end and start the server, or press "
			 "Ctrl-C)");
		poll(fds, 2, -1);
	}
	if (fds[0].revents || poll(fds, 1, CHR_PATIENCE_END_MS) > 0)
		return NULL;
	chr_error("ended while it waited for the JACK server");
	chr_jack_stop(patience->server);
	_exit(EX_UNAVAILABLE); /* the main thread may never come back from libjack */
}

static int start_thread(struct chr_patience *patience)
{
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	/* the main thread may be a realtime one by now */
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	int rc = pthread_create(&patience->thread, &attr, stand_by, patience);
	pthread_attr_destroy(&attr);
	return -rc;
}

static void close_both(const struct chr_patience *patience)
{
	if (patience->stop_fd >= 0)
		close(patience->stop_fd);
	if (patience->signal_fd >= 0)
		close(patience->signal_fd);
}

void chr_patience_begin(struct chr_patience *patience, struct chr_jack_server *server)
{
	sigset_t ends;
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	*patience = (struct chr_patience){
		.server = server, .stop_fd = chr_wake_create(), .signal_fd = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK)};
	patience->begun = patience->stop_fd >= 0 && patience->signal_fd >= 0 && start_thread(patience) == 0;
	if (!patience->begun)
		close_both(patience);
}

void chr_patience_end(struct chr_patience *patience)
{
	if (!patience->begun)
		return;
	patience->begun = false;
	chr_wake(patience->stop_fd);
	pthread_join(patience->thread, NULL);
	close_both(patience);
}
