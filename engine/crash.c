#include "engine/crash.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/socket.h>

#define STACK_BYTES 65536

static struct chr_slot *slot;
static _Atomic int jack_socket = -1;
static unsigned char stack[STACK_BYTES] __attribute__((aligned(16)));

static void on_fatal(int sig, siginfo_t *info, void *context)
{
	(void)context;
	/* Sent by a person or by abort(), a signal has no address. */
	uint64_t address = info->si_code > 0 ? (uint64_t)(uintptr_t)info->si_addr : 0;
	int fd = atomic_load_explicit(&jack_socket, memory_order_relaxed);
	chr_slot_crashed(slot, sig, address);
	if (fd >= 0)
		shutdown(fd, SHUT_RDWR);
	signal(sig, SIG_DFL);
	raise(sig); /* blocked until this handler returns */
}

int chr_crash_install(struct chr_slot *of)
{
	static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
	const stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
	struct sigaction action = {.sa_sigaction = on_fatal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	slot = of;
	/* Touched: there may be no memory left when it is needed. */
	for (unsigned i = 0; i < sizeof stack; i += 4096)
		((volatile unsigned char *)stack)[i] = 0;
	sigemptyset(&action.sa_mask);
	if (sigaltstack(&own, NULL))
		return -errno;
	for (unsigned i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
		if (sigaction(fatal[i], &action, NULL))
			return -errno;
	return 0;
}

void chr_crash_set_socket(int fd)
{
	atomic_store_explicit(&jack_socket, fd, memory_order_relaxed);
}
