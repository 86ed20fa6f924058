/* bench_accuracy: how exactly the modules do what they say, from the samples they compute.
 *
 * Nothing here depends on the machine or its load. The goals are those of the project; references are the equations in double or long
 * double precision.
 */
#include "tools/accuracy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	static struct figures figures = {.table = 3};
	const char *folder = getenv("CHR_MODULE_DIR"), *json = NULL;
	int error;

	if (folder && *folder)
		accuracy_folder = folder;
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json") && i + 1 < argc) {
			json = argv[++i];
		} else if (argv[i][0] == '-') {
			fputs("usage: bench_accuracy [--json FILE] [FOLDER]\n", stderr);
			return 64;
		} else {
			accuracy_folder = argv[i];
		}
	}
	accuracy_sine(&figures);
	accuracy_adsr(&figures);
	accuracy_responses(&figures);
	accuracy_stability(&figures);
	figures_print(&figures);
	printf("%u of %u figures miss their goal\n", figures_missed(&figures), figures.count);
	error = json ? figures_write_json(&figures, json) : 0;
	if (error)
		fprintf(stderr, "bench_accuracy: %s: %s\n", json, strerror(-error));
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
