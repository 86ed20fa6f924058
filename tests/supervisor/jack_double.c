#include "tests/supervisor/jack_double.h"

#include <check.h>
#include <errno.h>
#include <jack/jack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORTS_MAX 128
#define EDGES_MAX 512
#define QUEUE_MAX 4096
#define HOPS_MAX  32

struct fake_port {
	bool used, input;
	jack_port_id_t client; /* the first of its ports */
	char name[64];
};

/* A change that the listener has not been told of. */
struct change {
	enum { CONNECTED, DISCONNECTED, REGISTERED, GONE } kind;
	jack_port_id_t a, b;
};

static struct {
	struct fake_port port[PORTS_MAX]; /* port[0] is none */
	jack_port_id_t edge[EDGES_MAX][2];
	bool delayed[EDGES_MAX];
	unsigned edges; /* in the order in which they were made */
	bool pipewire;
	unsigned waits[PORTS_MAX][PORTS_MAX];  /* by clients: edges that make the second wait for the first */
	unsigned delays[PORTS_MAX][PORTS_MAX]; /* edges from the first to the second that are delayed */
	struct change change[QUEUE_MAX];
	unsigned first, count;
	JackPortConnectCallback on_connect;
	JackPortRegistrationCallback on_port;
	void *arg;
	void (*before)(void);
	int answer;
} fake;

static void change(int kind, jack_port_id_t a, jack_port_id_t b)
{
	ck_assert_uint_lt(fake.count, QUEUE_MAX);
	fake.change[(fake.first + fake.count++) % QUEUE_MAX] = (struct change){.kind = kind, .a = a, .b = b};
}

void jack_double_deliver(unsigned count)
{
	while (fake.count && count-- > 0) {
		struct change told = fake.change[fake.first++ % QUEUE_MAX];
		fake.count--;
		if (told.kind <= DISCONNECTED)
			fake.on_connect(told.a, told.b, told.kind == CONNECTED, fake.arg);
		else
			fake.on_port(told.a, told.kind == REGISTERED, fake.arg);
	}
}

void jack_double_reset(void)
{
	memset(&fake, 0, sizeof fake);
}

/* ---- ports ---- */

static jack_port_id_t number_of(const char *name)
{
	for (jack_port_id_t i = 1; i < PORTS_MAX; i++)
		if (fake.port[i].used && !strcmp(fake.port[i].name, name))
			return i;
	return 0;
}

static jack_port_id_t add_ports(const char *client, const char *names, bool input, jack_port_id_t first)
{
	char text[256], *rest = text;
	snprintf(text, sizeof text, "%s", names);
	for (char *name; (name = strsep(&rest, " "));) {
		jack_port_id_t i = 1;
		while (i < PORTS_MAX && fake.port[i].used)
			i++;
		if (!*name)
			continue;
		ck_assert_uint_lt(i, PORTS_MAX);
		first = first ? first : i;
		fake.port[i] = (struct fake_port){.used = true, .input = input, .client = first};
		snprintf(fake.port[i].name, sizeof fake.port[i].name, "%.30s:%.30s", client, name);
		change(REGISTERED, i, i);
	}
	return first;
}

void jack_double_open(const char *client, const char *inputs, const char *outputs)
{
	add_ports(client, outputs, false, add_ports(client, inputs, true, 0));
}

static bool is_of(jack_port_id_t port, const char *client)
{
	size_t length = strlen(client);
	return fake.port[port].used && !strncmp(fake.port[port].name, client, length) && fake.port[port].name[length] == ':';
}

/* ---- who waits for whom ---- */

static jack_port_id_t client_at(unsigned edge, int end)
{
	return fake.port[fake.edge[edge][end]].client;
}

/* PipeWire's search (0.3.65 to 1.6.8): by port, then by edge, with one mark for each client. */
static bool reaches(jack_port_id_t from, jack_port_id_t to, bool checked[PORTS_MAX], int hop)
{
	checked[from] = true;
	if (from == to || hop == HOPS_MAX)
		return from == to;
	for (unsigned i = 0; i < fake.edges; i++)
		if (client_at(i, 0) == from)
			checked[client_at(i, 1)] = fake.delayed[i];
	for (jack_port_id_t port = from; port < PORTS_MAX; port++)
		for (unsigned i = 0; i < fake.edges && fake.port[port].client == from; i++)
			if (fake.edge[i][0] == port && !checked[client_at(i, 1)] && reaches(client_at(i, 1), to, checked, hop + 1))
				return true;
	return false;
}

static bool waits(jack_port_id_t from, jack_port_id_t to, bool seen[PORTS_MAX])
{
	seen[from] = true;
	for (jack_port_id_t i = 1; i < PORTS_MAX && from != to; i++)
		if (fake.waits[from][i] && !seen[i] && waits(i, to, seen))
			return true;
	return from == to;
}

bool jack_double_stuck(void)
{
	for (unsigned i = 0; i < fake.edges; i++) {
		bool seen[PORTS_MAX] = {false};
		jack_port_id_t a = client_at(i, fake.delayed[i]), b = client_at(i, !fake.delayed[i]);
		if (a != b && fake.waits[a][b] && waits(b, a, seen))
			return true;
	}
	return false;
}

void jack_double_pipewire(bool pipewire)
{
	fake.pipewire = pipewire;
}

static void decide(unsigned edge)
{
	bool seen[PORTS_MAX] = {false};
	jack_port_id_t a = client_at(edge, 0), b = client_at(edge, 1);
	bool delayed = fake.pipewire ? reaches(b, a, seen, 0) : waits(b, a, seen);
	fake.delayed[edge] = delayed;
	fake.delays[a][b] += delayed;
	fake.waits[delayed ? b : a][delayed ? a : b] += a != b;
}

static void undo(unsigned edge)
{
	jack_port_id_t a = client_at(edge, 0), b = client_at(edge, 1);
	/* jackd2 counts by clients */
	bool delayed = fake.pipewire ? fake.delayed[edge] : fake.delays[a][b] > 0;
	fake.delays[a][b] -= delayed;
	fake.waits[delayed ? b : a][delayed ? a : b] -= a != b;
}

/* ---- edges ---- */

static void break_edge(unsigned i)
{
	change(DISCONNECTED, fake.edge[i][0], fake.edge[i][1]);
	undo(i);
	memmove(&fake.edge[i], &fake.edge[i + 1], (--fake.edges - i) * sizeof fake.edge[0]);
	memmove(&fake.delayed[i], &fake.delayed[i + 1], (fake.edges - i) * sizeof fake.delayed[0]);
}

void jack_double_deactivate(const char *client)
{
	for (unsigned i = 0; i < fake.edges;)
		if (is_of(fake.edge[i][0], client) || is_of(fake.edge[i][1], client))
			break_edge(i);
		else
			i++;
}

void jack_double_close(const char *client)
{
	jack_double_deactivate(client);
	for (jack_port_id_t i = 1; i < PORTS_MAX; i++)
		if (is_of(i, client)) {
			change(GONE, i, i);
			fake.port[i].used = false;
		}
}

static int find(jack_port_id_t a, jack_port_id_t b)
{
	for (unsigned i = 0; i < fake.edges; i++)
		if (fake.edge[i][0] == a && fake.edge[i][1] == b)
			return (int)i;
	return -1;
}

bool jack_double_connected(const char *from, const char *to)
{
	return find(number_of(from), number_of(to)) >= 0;
}

unsigned jack_double_delayed(const char *from, const char *to)
{
	jack_port_id_t a = number_of(from), b = number_of(to);
	int at = find(a, b);
	if (fake.pipewire)
		return at >= 0 && fake.delayed[at];
	return fake.delays[fake.port[a].client][fake.port[b].client];
}

bool jack_double_edge(unsigned i, const char **from, const char **to)
{
	if (i >= fake.edges)
		return false;
	*from = fake.port[fake.edge[i][0]].name;
	*to = fake.port[fake.edge[i][1]].name;
	return true;
}

int jack_double_connect(const char *from, const char *to)
{
	jack_port_id_t a = number_of(from), b = number_of(to);
	if (!a || !b)
		return -1;
	if (find(a, b) >= 0)
		return EEXIST;
	ck_assert_uint_lt(fake.edges, EDGES_MAX);
	fake.edge[fake.edges][0] = a;
	fake.edge[fake.edges][1] = b;
	decide(fake.edges++);
	change(CONNECTED, a, b);
	return 0;
}

int jack_double_disconnect(const char *from, const char *to)
{
	int at = find(number_of(from), number_of(to));
	if (at < 0)
		return -1;
	break_edge((unsigned)at);
	return 0;
}

void jack_double_before(void (*act)(void))
{
	fake.before = act;
}

/* Who asks a server for something has been told, by the time it answers, of all but the very last. */
static void come_before(void)
{
	void (*act)(void) = fake.before;
	jack_double_deliver(QUEUE_MAX);
	fake.before = NULL;
	if (act)
		act();
}

/* ---- libjack: weak, for a test may bring a server of its own ---- */

#define OURS __attribute__((weak))

void jack_double_answer(int rc)
{
	fake.answer = rc;
}

OURS int jack_connect(jack_client_t *client, const char *from, const char *to)
{
	(void)client;
	come_before();
	int rc = jack_double_connect(from, to);
	return rc ? rc : fake.answer;
}

OURS int jack_disconnect(jack_client_t *client, const char *from, const char *to)
{
	(void)client;
	come_before();
	int rc = jack_double_disconnect(from, to);
	return rc ? rc : fake.answer;
}

OURS jack_port_t *jack_port_by_name(jack_client_t *client, const char *name)
{
	jack_port_id_t port = number_of(name);
	(void)client;
	return port ? (jack_port_t *)&fake.port[port] : NULL;
}

OURS jack_port_t *jack_port_by_id(jack_client_t *client, jack_port_id_t port)
{
	(void)client;
	return port < PORTS_MAX && fake.port[port].used ? (jack_port_t *)&fake.port[port] : NULL;
}

OURS const char *jack_port_name(const jack_port_t *port)
{
	return ((const struct fake_port *)port)->name;
}

OURS int jack_port_flags(const jack_port_t *port)
{
	return ((const struct fake_port *)port)->input ? JackPortIsInput : JackPortIsOutput;
}

OURS int jack_port_connected_to(const jack_port_t *port, const char *name)
{
	return jack_double_connected(jack_port_name(port), name);
}

OURS const char **jack_get_ports(jack_client_t *client, const char *name, const char *type, unsigned long flags)
{
	(void)client;
	(void)name;
	(void)type;
	(void)flags;
	return NULL;
}

OURS int jack_set_port_connect_callback(jack_client_t *client, JackPortConnectCallback callback, void *arg)
{
	(void)client;
	fake.on_connect = callback;
	fake.arg = arg;
	return 0;
}

OURS int jack_set_port_registration_callback(jack_client_t *client, JackPortRegistrationCallback callback, void *arg)
{
	(void)client;
	(void)arg;
	fake.on_port = callback;
	return 0;
}

OURS int jack_set_port_rename_callback(jack_client_t *client, JackPortRenameCallback callback, void *arg)
{
	(void)client;
	(void)callback;
	(void)arg;
	return 0;
}

OURS int jack_set_process_callback(jack_client_t *client, JackProcessCallback callback, void *arg)
{
	(void)client;
	(void)callback;
	(void)arg;
	return 0;
}

OURS int jack_set_xrun_callback(jack_client_t *client, JackXRunCallback callback, void *arg)
{
	(void)client;
	(void)callback;
	(void)arg;
	return 0;
}

OURS int jack_set_buffer_size_callback(jack_client_t *client, JackBufferSizeCallback callback, void *arg)
{
	(void)client;
	(void)callback;
	(void)arg;
	return 0;
}

OURS void jack_on_shutdown(jack_client_t *client, JackShutdownCallback callback, void *arg)
{
	(void)client;
	(void)callback;
	(void)arg;
}

OURS jack_nframes_t jack_get_buffer_size(jack_client_t *client)
{
	(void)client;
	return 256;
}

OURS int jack_activate(jack_client_t *client)
{
	(void)client;
	return 0;
}

OURS jack_nframes_t jack_frame_time(const jack_client_t *client)
{
	(void)client;
	return 0;
}
