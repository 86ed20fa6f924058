/* Patches that system tests play. */
#ifndef CHR_TESTS_LIB_PATCHES_H
#define CHR_TESTS_LIB_PATCHES_H

/* One sine to both channels. */
#define CHR_PATCH_DRONE                                                                                                            \
	"name = \"drone\"; lanes = 1;\n"                                                                                           \
	"modules = ({ name = \"osc1\"; type = \"sine\"; params = { freq = 440.3; level = 0.5; }; });\n"                            \
	"connections = ([\"osc1:out\", \"out:left\"], [\"osc1:out\", \"out:right\"]);\n"

/* Two voices; osc2 is one octave up; the gates are closed; the envelopes are straight lines that end in exact zeros. */
#define CHR_PATCH_VOICES                                                                                                           \
	"name = \"voices\"; lanes = 1;\n"                                                                                          \
	"modules = (\n"                                                                                                            \
	"  { name = \"osc1\"; type = \"sine\"; params = { freq = 220.0; level = 0.5; }; },\n"                                      \
	"  { name = \"osc2\"; type = \"sine\"; params = { freq = 440.0; level = 0.25; }; },\n"                                     \
	"  { name = \"env1\"; type = \"adsr\"; params = { attack = 0.002; decay = 0.01; sustain = 0.5; release = 0.005; curve = "  \
	"0.0; }; },\n"                                                                                                             \
	"  { name = \"filt1\"; type = \"biquad\"; params = { mode = \"lowpass\"; cutoff = 1200.0; q = 0.9; }; }\n"                 \
	");\n"                                                                                                                     \
	"connections = (\n"                                                                                                        \
	"  [\"osc1:out\", \"env1:in\"], [\"osc2:out\", \"env1:in\"], [\"env1:out\", \"filt1:in\"],\n"                              \
	"  [\"filt1:out\", \"out:left\"], [\"filt1:out\", \"out:right\"]\n"                                                        \
	");\n"

/* Five modules in two lanes, with inputs and outputs that are free. Dying is forgiven. */
#define CHR_PATCH_MANY                                                                                                             \
	"name = \"many\"; lanes = 2; restart = { count = 100; window = 1.0; };\n"                                                  \
	"modules = (\n"                                                                                                            \
	"  { name = \"osc1\"; type = \"sine\"; params = { freq = 220.0; level = 0.1; }; },\n"                                      \
	"  { name = \"osc2\"; type = \"sine\"; params = { freq = 330.0; level = 0.1; }; },\n"                                      \
	"  { name = \"filt1\"; type = \"biquad\"; },\n"                                                                            \
	"  { name = \"filt2\"; type = \"biquad\"; },\n"                                                                            \
	"  { name = \"env1\"; type = \"adsr\"; }\n"                                                                                \
	");\n"                                                                                                                     \
	"connections = (\n"                                                                                                        \
	"  [\"osc1:out\", \"filt1:in\"], [\"filt1:out\", \"out:left\"], [\"osc2:out\", \"filt2:in\"],\n"                           \
	"  [\"filt2:out\", \"env1:in\"], [\"env1:out\", \"out:right\"]\n"                                                          \
	");\n"

#endif
