/* Programs that play on PipeWire: its libjack is chosen when a program starts. Main thread. */
#ifndef CHR_TOOLS_THROUGH_H
#define CHR_TOOLS_THROUGH_H

/* Starts this program again through pw-jack, with the same arguments, in this process's place. 0 in the program that was started so; otherwise
 * it comes back only when that fails: an exit code, after telling why in the name of `program`. */
int chr_through_pipewire(const char *program, char **argv);

#endif
