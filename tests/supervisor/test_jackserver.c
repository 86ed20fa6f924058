#include "supervisor/jackserver.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <stdlib.h>

static const struct {
	const char *given, *set;
} props[] = {
	{NULL, "jack.locked-process = false "},
	{"node.name = x", "jack.locked-process = false node.name = x"},
	{" { node.name = x }", "jack.locked-process = false  node.name = x "},
	{"{ a = { b = c } jack.locked-process = true }", "jack.locked-process = false  a = { b = c } jack.locked-process = true "},
	{"a = { b = c }", "jack.locked-process = false a = { b = c }"},
};

START_TEST(pipewires_clients_are_not_kept_from_playing)
{
	if (props[_i].given)
		setenv("PIPEWIRE_PROPS", props[_i].given, 1);
	else
		unsetenv("PIPEWIRE_PROPS");
	chr_jack_prepare();
	ck_assert_str_eq(getenv("PIPEWIRE_PROPS"), props[_i].set);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("jackserver");
	TCase *tcase = tcase_create("prepare");
	tcase_add_loop_test(tcase, pipewires_clients_are_not_kept_from_playing, 0, sizeof props / sizeof props[0]);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
