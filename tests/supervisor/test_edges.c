#include "supervisor/edges.h"
#include "tests/lib/suite.h"

#include <check.h>
#include <stdio.h>

START_TEST(each_edge_is_there_once_in_order)
{
	struct chr_edges edges = {0};
	char name[32];
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof name, "a:%d", i);
		ck_assert_int_eq(chr_edges_add(&edges, name, "b:in"), 0);
	}
	ck_assert_int_eq(chr_edges_add(&edges, "a:7", "b:in"), 0);
	ck_assert_uint_eq(edges.count, 200);
	ck_assert_int_eq(chr_edges_find(&edges, "a:7", "b:in"), 7);
	ck_assert_int_lt(chr_edges_find(&edges, "b:in", "a:7"), 0);
	ck_assert(chr_edges_remove(&edges, "a:7", "b:in"));
	ck_assert(!chr_edges_remove(&edges, "a:7", "b:in"));
	ck_assert(!chr_edges_remove(&edges, "a:8", "b:out"));
	/* those behind it keep their order: it is the order in which edges are made */
	ck_assert_uint_eq(edges.count, 199);
	ck_assert_str_eq(edges.edge[6].from, "a:6");
	ck_assert_str_eq(edges.edge[7].from, "a:8");
	ck_assert_str_eq(edges.edge[198].from, "a:199");
	ck_assert(chr_edges_remove(&edges, "a:199", "b:in"));
	ck_assert_str_eq(edges.edge[197].from, "a:198");
	chr_edges_finish(&edges);
}
END_TEST

START_TEST(an_edge_is_found_by_its_new_name)
{
	struct chr_edges edges = {0};
	ck_assert_int_eq(chr_edges_add(&edges, "a:out", "b:in"), 0);
	ck_assert_int_eq(chr_edges_add(&edges, "b:out", "c:in"), 0);
	snprintf(edges.edge[1].from, sizeof edges.edge[1].from, "d:out");
	chr_edges_renamed(&edges);
	ck_assert_int_eq(chr_edges_find(&edges, "d:out", "c:in"), 1);
	ck_assert_int_lt(chr_edges_find(&edges, "b:out", "c:in"), 0);
	ck_assert_int_eq(chr_edges_find(&edges, "a:out", "b:in"), 0);
	chr_edges_finish(&edges);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("edges");
	TCase *tcase = tcase_create("edges");
	tcase_add_test(tcase, each_edge_is_there_once_in_order);
	tcase_add_test(tcase, an_edge_is_found_by_its_new_name);
	suite_add_tcase(suite, tcase);
	return chr_suite_run(suite);
}
