/* What two lanes cost. */
#include "tools/faults.h"

#include "common/clock.h"
#include "tests/lib/leaks.h"

#define COST_S     10
#define COST_PATCH "patches/voice.cfg"

int chr_campaign_cost(struct chr_campaign *campaign)
{
	unsigned lanes = campaign->options.lanes;
	int rc = 0;
	for (unsigned i = 1; i <= CHR_LANES && !rc; i++) {
		campaign->options.lanes = i;
		rc = chr_campaign_begin(campaign, COST_PATCH, NULL);
		pid_t pid = campaign->session.child.pid;
		uint64_t begin_us = chr_monotonic_us(), begin = chr_family_ns(pid);
		/* nothing is asked of it meanwhile, but what it plays is taken away */
		if (!rc)
			chr_session_pass(&campaign->session, COST_S * 1000);
		uint64_t spent = chr_family_ns(pid) - begin;
		campaign->cpu[i - 1] = (double)spent / 1000.0 / (double)(chr_monotonic_us() - begin_us);
		chr_campaign_end(campaign);
	}
	campaign->options.lanes = lanes;
	return rc;
}
