/* top: the status, drawn again and again on the terminal's alternate screen.
 *
 * Signals that end or stop the program are blocked except while it waits, so that they arrive at one place, where the terminal is put
 * back; a crash restores it from the signal handler. Each picture is written with one write, line by line over the old one, so that
 * nothing flickers.
 */
#include "tools/chronusctl.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_INTERVAL 1.0 /* seconds */
#define ENTER_SCREEN     "\033[?1049h\033[?25l\033[H\033[2J"
#define LEAVE_SCREEN     "\033[?25h\033[?1049l"

static struct termios terminal_before;
static volatile sig_atomic_t on_screen, caught;

static const int ending_signal[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH};
static const int crash_signal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

static void say(const char *text, size_t bytes)
{
	while (bytes > 0) {
		ssize_t wrote = write(STDOUT_FILENO, text, bytes);
		if (wrote < 0 && errno != EINTR)
			return;
		text += wrote > 0 ? wrote : 0;
		bytes -= wrote > 0 ? (size_t)wrote : 0;
	}
}

static void enter_screen(void)
{
	struct termios raw = terminal_before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	on_screen = 1;
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	say(ENTER_SCREEN, sizeof ENTER_SCREEN - 1);
}

/* Also called from the handler of crashes: async-signal-safe. */
static void leave_screen(void)
{
	if (!on_screen)
		return;
	on_screen = 0;
	tcsetattr(STDIN_FILENO, TCSANOW, &terminal_before);
	say(LEAVE_SCREEN, sizeof LEAVE_SCREEN - 1);
}

static void on_signal(int number)
{
	if (number != SIGWINCH && number != SIGCONT)
		caught = number;
}

static void on_crash(int number)
{
	leave_screen();
	raise(number);
}

/* Blocks the signals; *waiting is the mask to wait with, in which they are open. */
static void take_signals(sigset_t *waiting)
{
	sigset_t blocked;
	sigemptyset(&blocked);
	struct sigaction action = {.sa_handler = on_signal};
	for (size_t i = 0; i < sizeof ending_signal / sizeof ending_signal[0]; i++) {
		sigaction(ending_signal[i], &action, NULL);
		sigaddset(&blocked, ending_signal[i]);
	}
	struct sigaction crash = {.sa_handler = on_crash, .sa_flags = SA_RESETHAND};
	for (size_t i = 0; i < sizeof crash_signal / sizeof crash_signal[0]; i++)
		sigaction(crash_signal[i], &crash, NULL);
	sigprocmask(SIG_BLOCK, &blocked, waiting);
}

/* Dies of the signal, as the shell expects it. Returns only after SIGTSTP, once the program goes on. */
static void obey(int number, const sigset_t *waiting)
{
	struct sigaction plain = {.sa_handler = SIG_DFL}, ours;
	sigset_t blocked;
	leave_screen();
	sigaction(number, &plain, &ours);
	raise(number);
	sigprocmask(SIG_SETMASK, waiting, &blocked);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	sigaction(number, &ours, NULL);
	caught = 0;
	enter_screen();
}

static json_t *make_rates(const json_t *before, const json_t *now, double seconds)
{
	json_t *rates = json_object();
	const char *key;
	json_t *value;
	json_object_foreach (json_object_get(now, "totals"), key, value) {
		const json_t *old = json_object_get(json_object_get(before, "totals"), key);
		if (old && seconds > 0)
			json_object_set_new(rates, key, json_real((json_number_value(value) - json_number_value(old)) / seconds));
	}
	return rates;
}

static void screen_size(size_t *rows, size_t *columns)
{
	struct winsize size = {0};
	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	*rows = size.ws_row ? size.ws_row : 24;
	*columns = size.ws_col ? size.ws_col : 80;
}

/* Draws `picture` over what stands on the screen: cut at its edges, the last row for the keys. */
static void draw(const struct chr_ctl *ctl, char *picture)
{
	char *frame = NULL;
	size_t bytes = 0, rows, columns, row = 0;
	FILE *to = open_memstream(&frame, &bytes);
	if (!to)
		return;
	screen_size(&rows, &columns);
	fputs("\033[H", to);
	char *rest = picture;
	for (char *line; row + 1 < rows && (line = strsep(&rest, "\n")); row++) {
		chr_text_clip(to, line, columns);
		fputs("\033[K\n", to);
	}
	fputs("\033[J", to);
	char keys[128];
	snprintf(keys, sizeof keys, "%sq quits, every %g s%s", chr_color_begin(CHR_DIM, ctl->color), ctl->interval_s,
		 rest && *rest ? ", the window is too low for all lines" : "");
	fprintf(to, "\033[%zuH", rows);
	chr_text_clip(to, keys, columns);
	fputs(chr_color_end(CHR_DIM, ctl->color), to);
	fclose(to);
	say(frame, bytes);
	free(frame);
}

/* The picture: the status, or the last one known under the reason why there is no newer one. */
static void show(struct chr_ctl *ctl, const json_t *status, const json_t *rates)
{
	char *picture = NULL;
	size_t bytes = 0;
	FILE *to = open_memstream(&picture, &bytes);
	if (!to)
		return;
	if (ctl->problem[0])
		fprintf(to, "%s%s%s\n\n", chr_color_begin(CHR_RED, ctl->color), ctl->problem, chr_color_end(CHR_RED, ctl->color));
	if (status)
		chr_ctl_status_print_top(ctl, status, rates, to);
	fclose(to);
	if (ctl->once)
		fputs(picture, stdout);
	else
		draw(ctl, picture);
	free(picture);
}

/* Waits for the next picture's time or a key. False when the user wants to quit. */
static bool wait_key(uint64_t until_us, const sigset_t *waiting)
{
	for (uint64_t now_us; (now_us = chr_osc_now_us()) < until_us;) {
		struct pollfd key = {.fd = STDIN_FILENO, .events = POLLIN};
		struct timespec left = {.tv_sec = (time_t)((until_us - now_us) / 1000000u),
					.tv_nsec = (long)((until_us - now_us) % 1000000u) * 1000};
		if (ppoll(&key, 1, &left, waiting) < 0) {
			if (caught)
				obey(caught, waiting);
			return true;
		}
		char c = 0;
		if (key.revents && (read(STDIN_FILENO, &c, 1) != 1 || c == 'q' || c == 'Q'))
			return false;
	}
	return true;
}

static void run(struct chr_ctl *ctl, const sigset_t *waiting)
{
	json_t *status = NULL;
	uint64_t step_us = (uint64_t)(ctl->interval_s * 1e6), told_us = 0, next_us;
	do {
		next_us = chr_osc_now_us() + step_us;
		json_t *newer = NULL, *rates = NULL;
		if (chr_ctl_status_fetch(ctl, &newer) == 0) {
			uint64_t now_us = chr_osc_now_us();
			rates = make_rates(status, newer, status ? (double)(now_us - told_us) / 1e6 : 0);
			told_us = now_us;
			json_decref(status);
			status = newer;
		}
		show(ctl, status, rates);
		json_decref(rates);
	} while (wait_key(next_us, waiting));
	json_decref(status);
}

static int once(struct chr_ctl *ctl)
{
	json_t *status;
	int code = chr_ctl_status_fetch(ctl, &status);
	if (code)
		return code;
	show(ctl, status, NULL);
	json_decref(status);
	return 0;
}

int chr_ctl_top(struct chr_ctl *ctl, int count, char **argument)
{
	(void)count;
	(void)argument;
	if (ctl->once)
		return once(ctl);
	if (!isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &terminal_before) != 0)
		return chr_ctl_fail(ctl, EX_USAGE, "top needs a terminal; without one: chronusctl top --once");
	if (ctl->interval_s <= 0)
		ctl->interval_s = DEFAULT_INTERVAL;
	/* Someone who calls it before chronus runs wants to be told, not to look at an empty screen. */
	json_t *first;
	int code = chr_ctl_status_fetch(ctl, &first);
	if (code)
		return code;
	json_decref(first);
	sigset_t waiting;
	take_signals(&waiting);
	atexit(leave_screen);
	enter_screen();
	run(ctl, &waiting);
	leave_screen();
	ctl->problem[0] = '\0';
	return 0;
}
