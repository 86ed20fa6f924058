#include "tools/chronusctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Prints the problem, if there is one, and finds out whether all output went where it should. */
static int finish(struct chr_ctl *ctl, int code)
{
	chr_osc_client_close(&ctl->client);
	bool written = fflush(stdout) == 0 && !ferror(stdout);
	if (code != 0 && ctl->problem[0])
		fprintf(stderr, "chronusctl: %s\n", ctl->problem);
	if (code == 0 && !written) {
		perror("chronusctl: standard output");
		return EX_IOERR;
	}
	return code;
}

static int run(struct chr_ctl *ctl, int words, char **word)
{
	if (words == 0)
		return chr_ctl_fail(ctl, EX_USAGE, "which command? See: chronusctl --help");
	const struct chr_ctl_command *command = chr_ctl_command_find(word[0]);
	if (!command)
		return chr_ctl_fail(ctl, EX_USAGE, "there is no command '%s'; see: chronusctl --help", word[0]);
	int count = words - 1;
	if (count < command->least || (command->most >= 0 && count > command->most))
		return chr_ctl_fail(ctl, EX_USAGE, "usage: chronusctl %s%s%s", command->name, *command->arguments ? " " : "",
				    command->arguments);
	if (ctl->json && !(command->options & CHR_CTL_JSON))
		return chr_ctl_fail(ctl, EX_USAGE, "%s has no --json", command->name);
	if ((ctl->once || ctl->interval_s > 0) && !(command->options & CHR_CTL_LIVE))
		return chr_ctl_fail(ctl, EX_USAGE, "%s has no --%s", command->name, ctl->once ? "once" : "interval");
	return command->handler(ctl, count, word + 1);
}

int main(int argc, char **argv)
{
	struct chr_ctl ctl = {.client.fd = -1};
	char **word = calloc((size_t)argc + 2, sizeof *word);
	if (!word)
		return EX_OSERR;
	int words = 0;
	int code = chr_ctl_parse(&ctl, argc, argv, word, &words);
	if (!code)
		code = run(&ctl, words, word);
	free(word);
	return finish(&ctl, code);
}
