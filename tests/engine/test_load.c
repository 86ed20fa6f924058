#include "engine/load.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <errno.h>
#include <string.h>

static struct chr_loaded loaded;
static char why[256];

START_TEST(module_is_loaded_and_described)
{
	ck_assert_int_eq(chr_load(&loaded, CHR_BUILD "/modules/sine.so", -1, why, sizeof why), 0);
	ck_assert_ptr_nonnull(loaded.module);
	ck_assert_str_eq(loaded.desc.name, "sine");
	ck_assert_uint_eq(loaded.desc.state_bytes, loaded.module->state_bytes);
}
END_TEST

static const struct {
	const char *file, *reason;
} bad[] = {
	{CHR_BUILD "/tests/modules/bad/abi.so", "ABI 2, this engine speaks 1"},
	{CHR_BUILD "/tests/modules/bad/nothing.so", "exports no chr_module"},
	{CHR_BUILD "/tests/modules/bad/unprocessed.so", "has no process function"},
	{CHR_BUILD "/tests/modules/bad/meter.so", "meter 'far': its place is not a word of the state"},
	{CHR_BUILD "/modules/no_such_module.so", "cannot load"},
	{"sine.so", "is not the path of a module file"},
	{"/proc/self/status", "cannot load"},
};

START_TEST(bad_file_is_refused_with_its_reason)
{
	struct chr_loaded none = {0};
	ck_assert_int_eq(chr_load(&none, bad[_i].file, -1, why, sizeof why), -EINVAL);
	ck_assert_msg(strstr(why, bad[_i].reason), "'%s' does not say '%s'", why, bad[_i].reason);
	ck_assert_ptr_null(none.module);
}
END_TEST

START_TEST(a_long_reason_is_cut)
{
	char file[1000];
	memset(file, '/', sizeof file);
	file[sizeof file - 1] = 0;
	ck_assert_int_eq(chr_load(&loaded, file, -1, why, sizeof why), -EINVAL);
	ck_assert_uint_lt(strlen(why), sizeof why);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("load");
	TCase *tcase = tcase_create("load");
	tcase_add_test(tcase, module_is_loaded_and_described);
	tcase_add_loop_test(tcase, bad_file_is_refused_with_its_reason, 0, sizeof bad / sizeof bad[0]);
	tcase_add_test(tcase, a_long_reason_is_cut);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
