/* The table of commands against everything that repeats it: help, man page, completion. Run from the tree's root, or with
 * CHR_SOURCE_DIR in the environment.
 */
#include "tests/lib/suite.h"
#include "tests/tools/double.h"
#include "tests/tools/runner.h"
#include "tools/chronusctl.h"

#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct chr_double *server;
static struct chr_child child;

static void setup(void)
{
	server = chr_double_start(NULL);
}

static void teardown(void)
{
	if (server)
		chr_double_stop(server);
	server = NULL;
}

static void ctl(const char *line)
{
	chr_child_run(&child, CHR_PIPES, chr_double_port(server), line);
	ck_assert_msg(child.code == 0, "%s: %d: %s", line, child.code, child.said);
}

static void source_path(const char *file, char *path, size_t bytes)
{
	const char *root = getenv("CHR_SOURCE_DIR");
	snprintf(path, bytes, "%s/%s", root ? root : ".", file);
}

/* A file of the tree, with a newline before its first line. */
static const char *source(const char *file)
{
	static char text[65536];
	char path[512];
	source_path(file, path, sizeof path);
	FILE *from = fopen(path, "r");
	ck_assert_msg(from, "cannot open %s", path);
	text[0] = '\n';
	size_t bytes = fread(text + 1, 1, sizeof text - 2, from);
	text[bytes + 1] = '\0';
	fclose(from);
	return text;
}

/* The line of `text` that begins with `begin` and a word's end; NULL when there is none. */
static const char *line_of(const char *text, const char *begin, char *line, size_t bytes)
{
	char wanted[256];
	snprintf(wanted, sizeof wanted, "\n%s", begin);
	const char *at = text;
	while ((at = strstr(at, wanted)) && !strchr(" \n", at[strlen(wanted)]))
		at++;
	if (!at)
		return NULL;
	snprintf(line, bytes, "%.*s", (int)strcspn(at + 1, "\n"), at + 1);
	return line;
}

START_TEST(help_lists_every_command_and_option)
{
	ctl("--help");
	for (const struct chr_ctl_command *c = chr_ctl_command; c->name; c++) {
		char begin[128], line[512];
		snprintf(begin, sizeof begin, "  %s%s%s", c->name, *c->arguments ? " " : "", c->arguments);
		bool listed = line_of(child.text, begin, line, sizeof line) && strstr(line, c->summary);
		ck_assert_msg(listed == !c->hidden, "%s: listed: %d", c->name, listed);
	}
	for (const struct chr_ctl_option *o = chr_ctl_option; o->name; o++)
		ck_assert_msg(strstr(child.text, o->name) && strstr(child.text, o->summary), "--%s is not in the help", o->name);
}
END_TEST

START_TEST(every_command_has_help)
{
	for (const struct chr_ctl_command *c = chr_ctl_command; c->name; c++) {
		char line[128], other[sizeof child.text], usage[256];
		snprintf(line, sizeof line, "help %s", c->name);
		ctl(line);
		snprintf(usage, sizeof usage, "usage: chronusctl [OPTION ...] %s%s%s\n", c->name, *c->arguments ? " " : "",
			 c->arguments);
		ck_assert_int_eq(strncmp(child.text, usage, strlen(usage)), 0);
		ck_assert_ptr_nonnull(strstr(child.text, c->details));
		ck_assert_msg((strstr(child.text, "--json") != NULL) == ((c->options & CHR_CTL_JSON) != 0), "%s", c->name);
		if (c->handler == chr_ctl_complete)
			continue;
		memcpy(other, child.text, sizeof other);
		snprintf(line, sizeof line, "%s --help", c->name);
		ctl(line);
		ck_assert_str_eq(child.text, other);
	}
}
END_TEST

START_TEST(a_command_takes_as_many_words_as_its_help_says)
{
	for (const struct chr_ctl_command *c = chr_ctl_command; c->name; c++) {
		int words = 0, optional = 0;
		for (const char *p = c->arguments; *p; p++) {
			bool begins = p == c->arguments || p[-1] == ' ';
			words += begins;
			optional += begins && *p == '[';
		}
		if (c->most < 0)
			continue;
		ck_assert_msg(c->most == words, "%s", c->name);
		/* MODULE PARAM may be one word. */
		ck_assert_msg(c->least == words - optional - (c->word[1] == CHR_CTL_PARAM), "%s", c->name);
	}
}
END_TEST

START_TEST(the_man_page_has_every_command)
{
	const char *page = source("man/chronusctl.1");
	for (const struct chr_ctl_command *c = chr_ctl_command; c->name; c++) {
		char begin[64], line[512];
		snprintf(begin, sizeof begin, ".It Cm %s", c->name);
		bool there = line_of(page, begin, line, sizeof line);
		ck_assert_msg(there == !c->hidden, "%s: in the man page: %d", c->name, there);
		if (!there)
			continue;
		/* Each argument in its order, and no other. */
		const char *at = line + strlen(begin);
		unsigned arguments = 0, in_page = 0;
		for (const char *p = c->arguments; *p;) {
			size_t length = strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
			char word[64];
			snprintf(word, sizeof word, "%.*s", (int)length, p);
			if (length > 0) {
				at = strstr(at, word);
				ck_assert_msg(at, "%s: %s is not in: %s", c->name, word, line);
				at += length;
				arguments++;
			}
			p += length > 0 ? length : 1;
		}
		for (const char *p = line + strlen(begin); *p; p++)
			in_page += isupper((unsigned char)p[0]) && isupper((unsigned char)p[1]) && p[-1] == ' ';
		ck_assert_msg(in_page == arguments, "%s: %u arguments, %u in: %s", c->name, arguments, in_page, line);
	}
}
END_TEST

START_TEST(the_man_page_has_nothing_else)
{
	const char *page = source("man/chronusctl.1");
	unsigned options = 0, wanted = 0;
	for (const char *at = page; (at = strstr(at, "\n.It Cm ")); at++) {
		char name[64];
		ck_assert_int_eq(sscanf(at, "\n.It Cm %63s", name), 1);
		ck_assert_msg(chr_ctl_command_find(name), "there is no command %s", name);
	}
	for (const char *at = page; (at = strstr(at, "\n.It Fl ")); at++)
		options++;
	for (const struct chr_ctl_option *o = chr_ctl_option; o->name; o++, wanted++) {
		char begin[128], line[512], letter[] = {'F', 'l', ' ', o->letter, ' ', ',', ' ', '\0'};
		snprintf(begin, sizeof begin, ".It %sFl -%s%s%s", o->letter ? letter : "", o->name, o->argument ? " Ar " : "",
			 o->argument ? o->argument : "");
		ck_assert_msg(line_of(page, begin, line, sizeof line), "no line in the man page: %s", begin);
	}
	ck_assert_uint_eq(options, wanted);
}
END_TEST

START_TEST(the_man_page_has_every_exit_code)
{
	static const int code[] = {0, CHR_CTL_REFUSED, EX_USAGE, EX_UNAVAILABLE, EX_OSERR, EX_IOERR, EX_TEMPFAIL};
	const char *page = strstr(source("man/chronusctl.1"), "\n.Sh EXIT STATUS");
	ck_assert_ptr_nonnull(page);
	for (size_t i = 0; i < sizeof code / sizeof code[0]; i++) {
		char item[32];
		snprintf(item, sizeof item, "\n.It %d\n", code[i]);
		ck_assert_msg(strstr(page, item), "%d", code[i]);
	}
}
END_TEST

/* Words in the order in which bash would pass them; the last one is completed. */
static const struct {
	const char *words, *offered;
} completed[] = {
	{"s", "status\nset\nsave\nswap\n"},
	{"''", "status\ntop\nget\nset\nmodules\ndescribe\nwatch\nadd\nremove\nrename\nconnect\ndisconnect\nconnections\nsave\nload"
	       "\nrestart\nswap\nquit\nping\nhelp\n"},
	{"--p", "--port\n"},
	{"status --j", "--json\n"},
	{"status --o", ""},
	{"top --", "--host\n--port\n--timeout\n--interval\n--once\n--no-color\n--help\n--version\n"},
	{"set o", "out\nosc1\n"},
	{"set osc1 ''", "freq\nlevel\n"},
	{"set filt1 mode h", "highpass\n"},
	{"set env1 gate ''", "on\noff\n"},
	{"set osc1 freq ''", ""},
	{"set filt1/mode ''", "lowpass\nhighpass\nbandpass\n"},
	{"set filt1/m", "filt1/mode\n"},
	{"get env1/", "env1/attack\nenv1/gate\n"},
	{"get e", "env1\n"},
	{"get nobody/", ""},
	{"describe b", "biquad\n"},
	{"restart ''", "out\nosc1\nenv1\nfilt1\n"},
	{"restart osc1 ''", ""},
	{"connect o", "out:out\nosc1:out\n"},
	{"connect osc1 :", "out\n"},
	{"connect osc1 : o", "out\n"},
	{"connect osc1 : out e", "env1:in\n"},
	{"disconnect osc1 : out env1 :", "in\n"},
	{"help pi", "ping\n"},
	{"--timeout 1 get f", "filt1\n"},
	{"--port", "--port\n"},
	{"--port ''", ""},
	{"frobnicate ''", ""},
};

static void complete(const char *words, unsigned port)
{
	char script[512], line[2048];
	source_path("completion/chronusctl.bash", script, sizeof script);
	snprintf(line, sizeof line,
		 "source %s; COMP_WORDS=(\"$CTL\" %s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _chronusctl; "
		 "printf '%%s\\n' \"${COMPREPLY[@]}\" | sed '/^$/d'",
		 script, words);
	chr_child_run(&child, CHR_SHELL, port, line);
}

START_TEST(bash_completes)
{
	complete(completed[_i].words, chr_double_port(server));
	ck_assert_int_eq(child.code, 0);
	ck_assert_str_eq(child.said, "");
	ck_assert_str_eq(child.text, completed[_i].offered);
}
END_TEST

START_TEST(completion_obeys_the_port_that_is_typed)
{
	char words[64];
	snprintf(words, sizeof words, "--port %u get f", chr_double_port(server));
	complete(words, 1);
	ck_assert_str_eq(child.text, "filt1\n");
}
END_TEST

START_TEST(completion_without_a_server_is_silent)
{
	unsigned port = chr_double_port(server);
	teardown();
	complete("get ''", port);
	ck_assert_int_eq(child.code, 0);
	ck_assert_str_eq(child.text, "");
	ck_assert_str_eq(child.said, "");
}
END_TEST

START_TEST(chronus_completes_the_options_of_its_man_page)
{
	char script[65536];
	snprintf(script, sizeof script, "%s", source("completion/chronus.bash"));
	const char *page = source("man/chronus.1");
	unsigned items = 0, offered = 0;
	for (const char *at = page; (at = strstr(at, "\n.It Fl ")); at++) {
		char name[64], option[72];
		const char *dash = strstr(at, "Fl -");
		ck_assert(dash && sscanf(dash, "Fl -%63[a-z-]", name) == 1);
		snprintf(option, sizeof option, "--%s", name);
		ck_assert_msg(strstr(strstr(script, "compgen -W '--"), option), "%s is not completed", option);
		items++;
	}
	const char *list = strstr(script, "compgen -W '--") + strlen("compgen -W '");
	for (const char *at = list; at < strchr(list, '\''); at++)
		offered += strncmp(at, "--", 2) == 0;
	ck_assert_uint_eq(offered, items);
}
END_TEST

START_TEST(the_man_page_of_chronus_has_the_options_of_its_help)
{
	const char *page = source("man/chronus.1");
	unsigned items = 0, options = 0;
	chr_child_run(&child, CHR_SHELL, 0, "$CTL_DIR/chronus --help");
	ck_assert_int_eq(child.code, 0);
	for (const char *at = page; (at = strstr(at, "\n.It Fl ")); at++)
		items++;
	for (const char *at = child.text; (at = strstr(at, "\n  ")); at++) {
		char name[64], word[64] = "", letter = 0, begin[128], line[512];
		int read = sscanf(at, "\n  -%c, --%63[a-z-]%*1[ ]%63[A-Z]", &letter, name, word);
		if (read < 2) {
			letter = 0;
			read = sscanf(at, "\n      --%63[a-z-]%*1[ ]%63[A-Z]", name, word);
		}
		if (read < 1)
			continue;
		options++;
		char dash[] = {'F', 'l', ' ', letter, ' ', ',', ' ', '\0'};
		snprintf(begin, sizeof begin, ".It %sFl -%s%s%s", letter ? dash : "", name, *word ? " Ar " : "", word);
		ck_assert_msg(line_of(page, begin, line, sizeof line), "no line in the man page: %s", begin);
	}
	ck_assert_uint_eq(options, items);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("chronusctl, words");
	TCase *all = tcase_create("all");
	tcase_add_checked_fixture(all, setup, teardown);
	tcase_set_timeout(all, 60);
	tcase_add_test(all, help_lists_every_command_and_option);
	tcase_add_test(all, every_command_has_help);
	tcase_add_test(all, a_command_takes_as_many_words_as_its_help_says);
	tcase_add_test(all, the_man_page_has_every_command);
	tcase_add_test(all, the_man_page_has_nothing_else);
	tcase_add_test(all, the_man_page_has_every_exit_code);
	tcase_add_loop_test(all, bash_completes, 0, sizeof completed / sizeof completed[0]);
	tcase_add_test(all, completion_obeys_the_port_that_is_typed);
	tcase_add_test(all, completion_without_a_server_is_silent);
	tcase_add_test(all, chronus_completes_the_options_of_its_man_page);
	tcase_add_test(all, the_man_page_of_chronus_has_the_options_of_its_help);
	suite_add_tcase(suite, all);
	return chr_suite_run(suite);
}
