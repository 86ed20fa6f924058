/* Proves that a module's process callback keeps its promise: no allocation, no lock, no system call, an end in time.
 *
 * Preloaded (LD_PRELOAD) into chronus-module; in every other program it does nothing. It puts itself between the engine and JACK's
 * jack_set_process_callback(). While the callback runs,
 *   - the allocator's entries and those of pthread's locks and semaphores, interposed here, note their names;
 *   - the kernel turns every system call of the thread into SIGSYS (PR_SET_SYSCALL_USER_DISPATCH); the handler notes its
 *     number and lets it fail with ENOSYS;
 *   - the thread's processor time is measured, which stands still while others have the processor: a callback that takes ENDLESS_MS of it
 *     is ended by a signal; one that takes more than half a period most of the time lingers.
 * When a callback that broke the promise returns, what it did is appended to the file named by CHRONUS_RT_PROBE, one line
 * `PID broke KIND NAME` each, and the process aborts. `PID armed` there means that the first callback of a process is watched.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <jack/jack.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_ON           1
#endif
#define ALLOW 0
#define BLOCK 1

#define NOTES_MAX  16
#define ENDLESS_MS 200 /* many times what any stall of a machine was seen to add */
#define RECENT     16  /* callbacks that are looked at together, so that a stall is not taken for the module's work */

/* glibc's own names of the allocator. */
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *old, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *old);

struct note {
	const char *kind, *name;
	int number;
};

static __thread volatile char selector __attribute__((tls_model("initial-exec")));
static __thread volatile bool inside __attribute__((tls_model("initial-exec")));
static __thread bool armed __attribute__((tls_model("initial-exec")));

static struct note notes[NOTES_MAX]; /* of the audio thread; JACK runs one */
static volatile unsigned note_count;

static bool watching;
static JackProcessCallback callback;
static jack_client_t *watched;
static timer_t endless;
static uint32_t recent; /* a bit for each of the last callbacks: it took more than half a period */
static unsigned callbacks;

static void note(const char *kind, const char *name, int number)
{
	if (note_count < NOTES_MAX)
		notes[note_count] = (struct note){kind, name, number};
	note_count++;
}

static void report(const char *text)
{
	const char *path = getenv("CHRONUS_RT_PROBE");
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : dup(STDERR_FILENO);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return;
	close(fd);
}

static void report_notes(void)
{
	char line[128];
	for (unsigned i = 0; i < note_count && i < NOTES_MAX; i++) {
		if (notes[i].name)
			snprintf(line, sizeof line, "%d broke %s %s\n", (int)getpid(), notes[i].kind, notes[i].name);
		else
			snprintf(line, sizeof line, "%d broke %s %d\n", (int)getpid(), notes[i].kind, notes[i].number);
		report(line);
	}
}

static void on_sigsys(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	selector = ALLOW; /* the return from this handler is a system call too */
	note("syscall", NULL, info->si_syscall);
#if defined(__x86_64__)
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RAX] = -ENOSYS;
#else
	(void)context;
#endif
}

/* The callback does not return: told here, for there is no later. */
static void on_endless(int sig)
{
	(void)sig;
	selector = ALLOW;
	inside = false;
	note("time", "endless", 0);
	report_notes();
	abort();
}

static void set_timer(void)
{
	const struct itimerspec once = {.it_value = {.tv_nsec = ENDLESS_MS * 1000000L}};
	timer_settime(endless, 0, &once, NULL);
}

static int64_t processor_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void judge_time(int64_t ns, jack_nframes_t frames)
{
	bool late = ns > INT64_C(500000000) * frames / jack_get_sample_rate(watched);
	recent = (recent << 1 | late) & ((1u << RECENT) - 1);
	if (++callbacks >= RECENT && __builtin_popcount(recent) > RECENT / 2)
		note("time", "lingers", 0);
}

static void watch_time(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGXCPU};
	struct sigaction action = {.sa_handler = on_endless};
	event._sigev_un._tid = gettid();
	sigaction(SIGXCPU, &action, NULL);
	if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &endless))
		abort();
}

static void arm(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	sigaddset(&set, SIGXCPU);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	watch_time();
	char line[64];
	int status = prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0, &selector);
	snprintf(line, sizeof line, "%d %s\n", (int)getpid(), status == 0 ? "armed" : "cannot watch system calls");
	report(line);
	armed = true;
}

static int watched_callback(jack_nframes_t frames, void *arg)
{
	if (!armed)
		arm();
	set_timer();
	int64_t begun = processor_ns();
	inside = true;
	selector = BLOCK;
	int status = callback(frames, arg);
	selector = ALLOW;
	inside = false;
	judge_time(processor_ns() - begun, frames);
	if (note_count > 0) {
		report_notes();
		abort();
	}
	return status;
}

static bool in_module_process(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
	if (n < 0)
		return false;
	path[n] = '\0';
	const char *slash = strrchr(path, '/');
	return slash && strcmp(slash + 1, "chronus-module") == 0;
}

__attribute__((constructor)) static void start(void)
{
	struct sigaction action = {.sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO};
	watching = in_module_process();
	if (watching)
		sigaction(SIGSYS, &action, NULL);
}

int jack_set_process_callback(jack_client_t *client, JackProcessCallback process, void *arg)
{
	static int (*real)(jack_client_t *, JackProcessCallback, void *);
	*(void **)&real = dlsym(RTLD_NEXT, "jack_set_process_callback");
	callback = process;
	watched = client;
	return real(client, watching ? watched_callback : process, arg);
}

/* ---- the allocator ---- */

static void note_alloc(const char *name)
{
	if (inside)
		note("alloc", name, 0);
}

void *malloc(size_t bytes)
{
	note_alloc("malloc");
	return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
	note_alloc("calloc");
	return __libc_calloc(count, bytes);
}

void *realloc(void *old, size_t bytes)
{
	note_alloc("realloc");
	return __libc_realloc(old, bytes);
}

void free(void *old)
{
	note_alloc("free");
	__libc_free(old);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
	note_alloc("aligned_alloc");
	return __libc_memalign(alignment, bytes);
}

int posix_memalign(void **to, size_t alignment, size_t bytes)
{
	note_alloc("posix_memalign");
	*to = __libc_memalign(alignment, bytes);
	return *to ? 0 : ENOMEM;
}

/* ---- locks ---- */

#define WATCH_LOCK(name, params, ...)                                                                                              \
	int name params                                                                                                            \
	{                                                                                                                          \
		static int(*real) params;                                                                                          \
		if (inside)                                                                                                        \
			note("lock", #name, 0);                                                                                    \
		if (!real)                                                                                                         \
			*(void **)&real = dlsym(RTLD_NEXT, #name);                                                                 \
		return real(__VA_ARGS__);                                                                                          \
	}

WATCH_LOCK(pthread_mutex_lock, (pthread_mutex_t * mutex), mutex)
WATCH_LOCK(pthread_mutex_trylock, (pthread_mutex_t * mutex), mutex)
WATCH_LOCK(pthread_mutex_timedlock, (pthread_mutex_t *restrict mutex, const struct timespec *restrict end), mutex, end)
WATCH_LOCK(pthread_rwlock_rdlock, (pthread_rwlock_t * lock), lock)
WATCH_LOCK(pthread_rwlock_wrlock, (pthread_rwlock_t * lock), lock)
WATCH_LOCK(pthread_spin_lock, (pthread_spinlock_t * lock), lock)
WATCH_LOCK(pthread_cond_wait, (pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex), cond, mutex)
WATCH_LOCK(pthread_cond_signal, (pthread_cond_t * cond), cond)
WATCH_LOCK(pthread_cond_broadcast, (pthread_cond_t * cond), cond)
WATCH_LOCK(sem_wait, (sem_t * sem), sem)
WATCH_LOCK(sem_trywait, (sem_t * sem), sem)
WATCH_LOCK(sem_post, (sem_t * sem), sem)
