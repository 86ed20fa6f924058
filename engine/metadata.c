/* Keeps libjack of jackd2 from opening its database of metadata (Berkeley DB, in /dev/shm, shared by all clients of a user).
 *
 * Every client opens it at its start, and one that is killed leaves its locks behind there for ever: after some two hundred clients that
 * live or were killed, the next one dies of "unable to allocate memory for mutex" inside jack_client_open(). A module has no use for
 * metadata. This definition takes the place of libdb's; libjack then goes on without metadata, and starts sooner.
 */
#include <errno.h>
#include <stdint.h>

int db_env_create(void **env, uint32_t flags);

int db_env_create(void **env, uint32_t flags)
{
	(void)flags;
	*env = 0;
	return ENOTSUP;
}
