/* A look at the text before libconfig parses it: `@include` would read other files (and a folder ends the process), nesting
 * costs its stack, settings of one group cost time by their square, and integers overflow silently.
 */
#include "supervisor/patch_parts.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct scan {
	struct chr_patch_load *load;
	const char *at;
	unsigned line;
	unsigned depth;
	unsigned settings[CHR_PATCH_DEPTH_MAX + 1]; /* of the open group at each depth */
	bool stop;                                  /* what follows would only repeat the problem */
};

/* Moves past `bytes` bytes, counting lines. */
static void pass(struct scan *scan, size_t bytes)
{
	for (; bytes && *scan->at; bytes--)
		scan->line += *scan->at++ == '\n';
}

static void pass_string(struct scan *scan)
{
	pass(scan, 1);
	while (*scan->at && *scan->at != '"')
		pass(scan, *scan->at == '\\' ? 2 : 1);
	pass(scan, 1);
}

static void pass_comment(struct scan *scan)
{
	const char *end;

	if (scan->at[1] == '*') {
		end = strstr(scan->at + 2, "*/");
		pass(scan, end ? (size_t)(end + 2 - scan->at) : strlen(scan->at));
	} else {
		pass(scan, strcspn(scan->at, "\n"));
	}
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '*';
}

static void pass_name(struct scan *scan)
{
	while (is_name(*scan->at))
		pass(scan, 1);
}

/* An integer stands with its sign, digits (0x for hexadecimal) and an L when it is meant to have 64 bits. */
static void pass_number(struct scan *scan)
{
	size_t sign = *scan->at == '-' || *scan->at == '+';
	const char *digits = scan->at + sign;
	bool hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
	char *end;
	long long value;

	errno = 0;
	value = strtoll(scan->at, &end, hex ? 16 : 10);
	if (*end != '.' && *end != 'e' && *end != 'E') {
		bool wide = *end == 'L';
		long long most = hex && !wide ? UINT_MAX : INT_MAX;

		if (errno == ERANGE || (!wide && (value > most || value < INT_MIN)))
			chr_patch_problem(scan->load, scan->line, "the number %.*s is too large",
					  (int)(end - scan->at > 40 ? 40 : end - scan->at), scan->at);
	}
	pass(scan, (size_t)(end - scan->at));
	while (isalnum((unsigned char)*scan->at) || *scan->at == '.')
		pass(scan, 1);
}

static void open_bracket(struct scan *scan)
{
	if (scan->depth == CHR_PATCH_DEPTH_MAX) {
		chr_patch_problem(scan->load, scan->line, "groups and lists stand more than %d deep in each other",
				  CHR_PATCH_DEPTH_MAX);
		scan->stop = true;
		return;
	}
	scan->settings[++scan->depth] = 0;
}

static void pass_sign(struct scan *scan)
{
	switch (*scan->at) {
	case '{':
	case '(':
	case '[':
		open_bracket(scan);
		break;
	case '}':
	case ')':
	case ']':
		scan->depth -= scan->depth > 0;
		break;
	case '=':
	case ':':
		if (++scan->settings[scan->depth] > CHR_PATCH_GROUP_MAX) {
			chr_patch_problem(scan->load, scan->line, "more than %d settings in one group", CHR_PATCH_GROUP_MAX);
			scan->stop = true;
		}
		break;
	case '@':
		chr_patch_problem(scan->load, scan->line, "a patch is one file: @include is not allowed");
		break;
	default:
		break;
	}
	pass(scan, 1);
}

bool chr_patch_scan(struct chr_patch_load *load, const char *text)
{
	struct scan scan = {.load = load, .at = text, .line = 1};
	unsigned before = load->problems->count;

	while (*scan.at && !scan.stop) {
		char c = scan.at[0], next = scan.at[1];

		if (c == '"')
			pass_string(&scan);
		else if (c == '#' || (c == '/' && (next == '/' || next == '*')))
			pass_comment(&scan);
		else if (isdigit((unsigned char)c) || ((c == '-' || c == '+') && isdigit((unsigned char)next)))
			pass_number(&scan);
		else if (isalpha((unsigned char)c) || c == '*')
			pass_name(&scan);
		else
			pass_sign(&scan);
	}
	return load->problems->count == before;
}
