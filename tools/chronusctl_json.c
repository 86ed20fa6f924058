#include "tools/chronusctl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The double whose shortest decimal form is that of the float: 440.3f becomes 440.3 and not 440.29998779296875. */
static double widen(float value)
{
	char text[32];
	for (int digits = 6; digits <= 9; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, (double)value);
		if (strtof(text, NULL) == value)
			break;
	}
	return strtod(text, NULL);
}

/* Text that is no UTF-8 cannot stand in JSON; its high bytes become '?'. */
static json_t *text_value(const char *text)
{
	json_t *value = json_string(text);
	if (value)
		return value;
	char *copy = strdup(text);
	for (char *c = copy; c && *c; c++)
		*c = (unsigned char)*c < 0x80 ? *c : '?';
	value = copy ? json_string(copy) : NULL;
	free(copy);
	return value ? value : json_null();
}

json_t *chr_ctl_json_value(lo_message message, int index)
{
	const char *types = lo_message_get_types(message);
	char type = types && index < lo_message_get_argc(message) ? types[index] : LO_NIL;
	int32_t whole = 0;
	int64_t large = 0;
	float single = NAN;
	double real = NAN;
	if (chr_osc_int32(message, index, &whole))
		return json_integer(whole);
	if (chr_osc_int64(message, index, &large))
		return json_integer(large);
	if (type == LO_TRUE || type == LO_FALSE)
		return json_boolean(type == LO_TRUE);
	if (type == LO_STRING)
		return text_value(chr_osc_string(message, index));
	if (chr_osc_float(message, index, &single))
		real = widen(single);
	chr_osc_double(message, index, &real);
	return isfinite(real) ? json_real(real) : json_null();
}

json_t *chr_ctl_json_object(lo_message message, int first)
{
	json_t *object = json_object();
	int count = lo_message_get_argc(message);
	for (int i = first; i + 1 < count; i += 2) {
		const char *key = chr_osc_string(message, i);
		if (key)
			json_object_set_new(object, key, chr_ctl_json_value(message, i + 1));
	}
	return object;
}

void chr_ctl_json_print(const json_t *value, bool one_line)
{
	json_dumpf(value, stdout, (one_line ? JSON_COMPACT : JSON_INDENT(2)) | JSON_REAL_PRECISION(15) | JSON_ENCODE_ANY);
	putchar('\n');
}

const char *chr_ctl_text(const json_t *value, char *text, size_t bytes)
{
	switch (value ? json_typeof(value) : JSON_NULL) {
	case JSON_STRING:
		snprintf(text, bytes, "%s", json_string_value(value));
		break;
	case JSON_INTEGER:
		snprintf(text, bytes, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_REAL:
		snprintf(text, bytes, "%.15g", json_real_value(value));
		break;
	case JSON_TRUE:
		snprintf(text, bytes, "1");
		break;
	case JSON_FALSE:
		snprintf(text, bytes, "0");
		break;
	default:
		snprintf(text, bytes, "-");
		break;
	}
	return chr_text_clean(text);
}

double chr_ctl_get_number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

const char *chr_ctl_get_string(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}
