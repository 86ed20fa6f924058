#include "tools/chronusctl.h"

#include <stdio.h>

#ifndef CHR_VERSION
#define CHR_VERSION "unknown"
#endif

static void print_options(unsigned set)
{
	for (const struct chr_ctl_option *o = chr_ctl_option; o->name; o++) {
		if (o->set & ~set)
			continue;
		char word[64];
		snprintf(word, sizeof word, "%c%c%s--%s%s%s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
			 o->letter ? ", " : "  ", o->name, o->argument ? " " : "", o->argument ? o->argument : "");
		printf("  %-24s %s\n", word, o->summary);
	}
}

static void print_all(void)
{
	puts("usage: chronusctl [OPTION ...] COMMAND [ARGUMENT ...]\n\nA view of a running chronus, over OSC.\n\nCommands:");
	for (const struct chr_ctl_command *c = chr_ctl_command; c->name; c++) {
		if (c->hidden)
			continue;
		char word[64];
		snprintf(word, sizeof word, "%s %s", c->name, c->arguments);
		printf("  %-34s %s\n", word, c->summary);
	}
	puts("\nOptions, before or after the command:");
	print_options(CHR_CTL_JSON | CHR_CTL_LIVE);
	puts("\nMore on one command: chronusctl help COMMAND. The manual: man chronusctl.");
}

static void print_one(const struct chr_ctl_command *command)
{
	printf("usage: chronusctl [OPTION ...] %s%s%s\n\n%s\n%s%s\nOptions:\n", command->name, *command->arguments ? " " : "",
	       command->arguments, command->summary, *command->details ? "\n" : "", command->details);
	print_options(command->options);
}

int chr_ctl_help(struct chr_ctl *ctl, int count, char **argument)
{
	const struct chr_ctl_command *command = count > 0 ? chr_ctl_command_find(argument[0]) : NULL;
	if (count > 0 && !command)
		return chr_ctl_fail(ctl, EX_USAGE, "there is no command '%s'; see: chronusctl --help", argument[0]);
	if (command)
		print_one(command);
	else
		print_all();
	return 0;
}

int chr_ctl_version(struct chr_ctl *ctl, int count, char **argument)
{
	(void)ctl;
	(void)count;
	(void)argument;
	puts("chronusctl " CHR_VERSION);
	return 0;
}
