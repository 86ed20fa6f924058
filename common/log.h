/* Log lines on standard error. Every line names the program's role, its pid and, in a module process, module and lane:
 *
 *   12:34:56.789 chronus[4711] supervisor: osc1: killed by SIGSEGV at 0x8, restarted in 31 ms
 *   12:34:56.790 chronus[4712] module osc1/a: ...
 *
 * Where standard error is no terminal, the date stands before the time. A closed or full pipe is never an error for the writer. Any
 * thread but the audio thread.
 */
#ifndef CHR_COMMON_LOG_H
#define CHR_COMMON_LOG_H

enum chr_log_level { CHR_LOG_ERROR, CHR_LOG_WARN, CHR_LOG_INFO, CHR_LOG_DEBUG };

/* Once at the start, and again when a process learns its module: the words that name this process. `role` is "supervisor" or "module"; `module` and
 * `lane` ('a', 'b') may be NULL and 0. */
void chr_log_identity(const char *role, const char *module, char lane);

/* Lines above `level` are not printed. The start value is CHR_LOG_INFO. */
void chr_log_set_level(enum chr_log_level level);
enum chr_log_level chr_log_level(void);

/* From here on what others of this process write to standard error (a library, say) goes nowhere, while log lines still come; and no longer. Not
 * above the level CHR_LOG_INFO: who wants to know all is told all. One thread at a time. */
void chr_log_hush(void);
void chr_log_unhush(void);

void chr_log(enum chr_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define chr_error(...) chr_log(CHR_LOG_ERROR, __VA_ARGS__)
#define chr_warn(...)  chr_log(CHR_LOG_WARN, __VA_ARGS__)
#define chr_info(...)  chr_log(CHR_LOG_INFO, __VA_ARGS__)
#define chr_debug(...) chr_log(CHR_LOG_DEBUG, __VA_ARGS__)

#endif
