/* Other programs come and go: the edges to and from them that people drew return with them. */
#include "tests/lib/drawing.h"
#include "tests/lib/patches.h"
#include "tests/lib/system.h"

#include <time.h>

static struct chr_drawing drawing;

START_TEST(edges_of_other_programs_return_with_them)
{
	static const struct timespec lingering = {.tv_nsec = 300000000};
	chr_drawing_begin(&drawing, CHR_PATCH_MANY);
	jack_client_t *other = chr_drawing_other();
	chr_drawing_draw(&drawing, "osc1:out", "other:in_1");
	chr_drawing_draw(&drawing, "filt2:out", "other:in_2");
	chr_drawing_draw(&drawing, "other:out_1", "filt1:in");
	chr_drawing_judge(&drawing, "drawn");
	jack_client_close(other);
	other = chr_drawing_other();
	ck_assert_msg(chr_drawing_returns(&drawing, 5000), "not back after it was closed");
	chr_drawing_judge(&drawing, "closed and back");
	/* its edges go, its ports stay for a while */
	jack_deactivate(other);
	nanosleep(&lingering, NULL);
	jack_client_close(other);
	ck_assert(chr_drawing_settle(&drawing));
	other = chr_drawing_other();
	ck_assert_msg(chr_drawing_returns(&drawing, 5000), "not back after it went slowly");
	chr_drawing_judge(&drawing, "gone slowly and back");
	ck_assert_int_eq(jack_disconnect(drawing.client, "osc1:out", "other:in_1"), 0);
	chr_edge_set_take(&drawing.drawn, chr_edge_text("osc1:out", "other:in_1"));
	chr_drawing_judge(&drawing, "one erased");
	jack_client_close(other);
	chr_drawing_end(&drawing);
}
END_TEST

static void fill(Suite *suite)
{
	tcase_add_test(chr_system_case(suite, "others", 60), edges_of_other_programs_return_with_them);
}

int main(void)
{
	return chr_system_main("others", fill, 0);
}
