#include "tests/lib/system.h"

#include "tests/lib/child.h"
#include "tests/lib/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PERIOD 256

static const char *const kind_name[] = {[CHR_SERVER_JACKD] = "jackd", [CHR_SERVER_PIPEWIRE] = "pipewire"};

enum chr_server_kind chr_system_kind(void)
{
	const char *wanted = getenv(CHR_SERVER_ENV);
	return wanted && strcmp(wanted, "pipewire") == 0 ? CHR_SERVER_PIPEWIRE : CHR_SERVER_JACKD;
}

static int run_suite(const char *name, void (*fill)(Suite *))
{
	char title[128];
	snprintf(title, sizeof title, "%s (%s)", name, kind_name[chr_system_kind()]);
	setvbuf(stdout, NULL, _IOLBF, 0); /* figures of a test that fails later are not lost */
	Suite *suite = suite_create(title);
	fill(suite);
	return chr_suite_run(suite);
}

static int run_copy(enum chr_server_kind kind)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n < 0)
		return EXIT_FAILURE;
	self[n] = '\0';
	char *plain[] = {self, NULL}, *through[] = {"pw-jack", self, NULL};
	struct chr_child child;
	setenv(CHR_SERVER_ENV, kind_name[kind], 1);
	fflush(NULL);
	if (chr_child_start(&child, kind == CHR_SERVER_PIPEWIRE ? through : plain, NULL) < 0 || !chr_child_ended(&child, -1))
		return EXIT_FAILURE;
	return chr_child_code(&child);
}

int chr_system_main(const char *name, void (*fill)(Suite *), int jackd_only)
{
	const char *wanted = getenv(CHR_SERVER_ENV);
	if (wanted && getenv("CHRONUS_TEST_COPY")) {
		chr_server_private_shm();
		return run_suite(name, fill);
	}
	setenv("CHRONUS_TEST_COPY", "1", 1);
	setenv("LSAN_OPTIONS", "suppressions=tests/lib/lsan.supp:print_suppressions=0", 0);
	int status = EXIT_SUCCESS;
	for (enum chr_server_kind kind = CHR_SERVER_JACKD; kind <= CHR_SERVER_PIPEWIRE; kind++) {
		if ((wanted && strcmp(wanted, kind_name[kind]) != 0) || (jackd_only && kind != CHR_SERVER_JACKD))
			continue;
		if (run_copy(kind) != 0)
			status = EXIT_FAILURE;
	}
	return status;
}

void chr_system_server(void)
{
	ck_assert_msg(chr_server_start(chr_system_kind(), PERIOD) == 0, "no %s", kind_name[chr_system_kind()]);
}

void chr_system_no_server(void)
{
	chr_server_stop();
}

TCase *chr_system_case(Suite *suite, const char *name, int seconds)
{
	TCase *tests = tcase_create(name);
	tcase_add_unchecked_fixture(tests, chr_system_server, chr_system_no_server);
	tcase_set_timeout(tests, seconds);
	suite_add_tcase(suite, tests);
	return tests;
}

unsigned chr_system_number(const char *name, unsigned usual)
{
	const char *text = getenv(name);
	return text && atoi(text) > 0 ? (unsigned)atoi(text) : usual;
}

double chr_system_seconds(double usual)
{
	const char *text = getenv("CHRONUS_TEST_SECONDS");
	double given = text ? strtod(text, NULL) : 0.0;
	return given > 0.0 ? given : usual;
}
