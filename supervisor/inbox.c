#include "supervisor/inbox.h"

#include "common/wake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int chr_inbox_init(struct chr_inbox *inbox)
{
	*inbox = (struct chr_inbox){.space = 256};
	inbox->wake_fd = chr_wake_create();
	if (inbox->wake_fd < 0)
		return inbox->wake_fd;
	inbox->post = calloc(inbox->space, sizeof *inbox->post);
	if (!inbox->post) {
		close(inbox->wake_fd);
		return -ENOMEM;
	}
	pthread_mutexattr_t attr;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&inbox->lock, &attr);
	pthread_mutexattr_destroy(&attr);
	return 0;
}

void chr_inbox_finish(struct chr_inbox *inbox)
{
	pthread_mutex_destroy(&inbox->lock);
	free(inbox->post);
	close(inbox->wake_fd);
}

static bool grow(struct chr_inbox *inbox)
{
	unsigned space = inbox->space * 2;
	struct chr_post *post = calloc(space, sizeof *post);
	if (!post)
		return false;
	for (unsigned i = 0; i < inbox->count; i++)
		post[i] = inbox->post[(inbox->first + i) % inbox->space];
	free(inbox->post);
	inbox->post = post;
	inbox->space = space;
	inbox->first = 0;
	return true;
}

void chr_inbox_put(struct chr_inbox *inbox, const struct chr_post *post)
{
	pthread_mutex_lock(&inbox->lock);
	if (inbox->count < inbox->space || grow(inbox))
		inbox->post[(inbox->first + inbox->count++) % inbox->space] = *post;
	pthread_mutex_unlock(&inbox->lock);
	chr_wake(inbox->wake_fd);
}

bool chr_inbox_take(struct chr_inbox *inbox, struct chr_post *post)
{
	pthread_mutex_lock(&inbox->lock);
	bool any = inbox->count > 0;
	if (any) {
		*post = inbox->post[inbox->first];
		inbox->first = (inbox->first + 1) % inbox->space;
		inbox->count--;
	}
	pthread_mutex_unlock(&inbox->lock);
	return any;
}
