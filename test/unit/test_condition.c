/*
 * test_condition.c
 *		Conditions: what they mean of facts, and what is none.
 */
#include <stdlib.h>

#include "core/condition.h"
#include "check.h"

/* The facts of all tests: what a name says about itself. */
static void
look_up(void *context, const char *name, ConditionValue *value)
{
	static const struct
	{
		const char *name;
		ConditionValue value;
	}			facts[] = {
		{"roc_auc", {.type = CONDITION_NUMBER, .number = .93}},
		{"champion.roc_auc", {.type = CONDITION_NUMBER, .number = .92}},
		{"ndcg@10", {.type = CONDITION_NUMBER, .number = .5}},
		{"minus", {.type = CONDITION_NUMBER, .number = -1}},
		{"nan", {.type = CONDITION_NUMBER, .number = NAN}},
		{"huge", {.type = CONDITION_NUMBER, .number = 1e308}},
		{"algorithm", {.type = CONDITION_TEXT, .text = "mlp", .length = 3}},
		{"tag.team", {.type = CONDITION_TEXT, .text = "risk", .length = 4}},
		{"city", {.type = CONDITION_TEXT, .text = "Z\xc3\xbcrich", .length = 7}},
		{"empty", {.type = CONDITION_TEXT, .text = NULL, .length = 0}},
		{"precision[>50K]", {.type = CONDITION_NUMBER, .number = .7}},
		{"passed", {.type = CONDITION_BOOLEAN, .holds = true}},
		{"failed", {.type = CONDITION_BOOLEAN, .holds = false}},
	};

	(*(int *) context)++;
	if (strcmp(name, "long") == 0)
	{
		static char letters[CONDITION_LIKE_MAX + 1];

		memset(letters, 'a', sizeof(letters));
		*value = (ConditionValue) {.type = CONDITION_TEXT, .text = letters, .length = sizeof(letters)};
	}
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
	{
		if (strcmp(facts[i].name, name) == 0)
			*value = facts[i].value;
	}
}

static void
expect(const char *text, ConditionTruth expected)
{
	static Condition condition;
	Error		error;
	int			looked = 0;

	if (!CHECK_OK(condition_parse(&condition, text, &error), &error))
	{
		printf("\tin \"%s\"\n", text);
		return;
	}
	if (!CHECK(condition_evaluate(&condition, look_up, &looked) == expected) || !CHECK(looked == (int) condition.n_names))
		printf("\tin \"%s\"\n", text);
}

static void
refuse(const char *text, const char *words)
{
	static Condition condition;
	Error		error = {0};

	if (!CHECK_ERROR(condition_parse(&condition, text, &error), &error, ERROR_PARAMETER, words))
		printf("\tin \"%s\"\n", text);
}

static void
check_comparisons(void)
{
	expect("roc_auc >= 0.92", TRUTH_TRUE);
	expect("roc_auc>=.94", TRUTH_FALSE);
	expect("roc_auc <> 0.93 or roc_auc != 0.93", TRUTH_FALSE);
	expect("roc_auc = 9.3e-1", TRUTH_TRUE);
	expect("roc_auc < 1 AND roc_auc <= 0.93 And roc_auc > 0", TRUTH_TRUE);
	expect("roc_auc > champion.roc_auc", TRUTH_TRUE);
	expect("roc_auc >= champion.roc_auc + 0.02", TRUTH_FALSE);
	expect("roc_auc >= champion.roc_auc * 0.99 - -0.001", TRUTH_TRUE);
	expect("1 + 2 * 3 = 7 and (1 + 2) * 3 = 9 and 7 - 2 - 1 = 4", TRUTH_TRUE);
	expect("ndcg@10 = 0.5", TRUTH_TRUE);
	expect("\"precision[>50K]\" >= 0.7", TRUTH_TRUE);
	expect("algorithm = 'mlp' or tag.team = 'nobody'", TRUTH_TRUE);
	expect("tag.team in ('fraud', 'risk')", TRUTH_TRUE);
	expect("tag.team not in ('fraud', 'risk')", TRUTH_FALSE);
	expect("roc_auc in (1, 0.92 + 0.01, 3)", TRUTH_TRUE);
	expect("'a''b' = 'a''b'", TRUTH_TRUE);
	expect("algorithm < 'mlq' and algorithm > 'ml' and algorithm >= 'mlp'", TRUTH_TRUE);
	expect("empty = '' and empty < 'a'", TRUTH_TRUE);
	expect("passed", TRUTH_TRUE);
	expect("not failed and passed = true and failed is false and passed is not false", TRUTH_TRUE);
	expect("(roc_auc > 0.9) = true", TRUTH_TRUE);
	expect("((roc_auc)) >= ((0.9))", TRUTH_TRUE);
}

static void
check_patterns(void)
{
	expect("algorithm like 'm%'", TRUTH_TRUE);
	expect("algorithm like '_l_'", TRUTH_TRUE);
	expect("algorithm like '_l'", TRUTH_FALSE);
	expect("algorithm not like '%x%'", TRUTH_TRUE);
	expect("city like 'Z_rich'", TRUTH_TRUE);
	expect("city like 'Z__rich'", TRUTH_FALSE);
	expect("empty like '%' and empty like '' and empty not like '_'", TRUTH_TRUE);
	expect("'a%b' like 'a\\%b' and 'axb' not like 'a\\%b'", TRUTH_TRUE);
	expect("'abcabcabd' like '%abd' and 'aab' like '%ab%' and 'aaab' like 'a%a_'", TRUTH_TRUE);
	expect("'\\' like '\\'", TRUTH_TRUE);
}

/* Three values: what is not there makes nothing true, and nothing false. */
static void
check_unknown(void)
{
	expect("nothing > 1", TRUTH_UNKNOWN);
	expect("not nothing > 1", TRUTH_UNKNOWN);
	expect("nothing", TRUTH_UNKNOWN);
	expect("nothing is null and roc_auc is not null", TRUTH_TRUE);
	expect("nothing = null", TRUTH_UNKNOWN);
	expect("null is null", TRUTH_TRUE);
	expect("nothing > 1 or passed", TRUTH_TRUE);
	expect("nothing > 1 and passed", TRUTH_UNKNOWN);
	expect("nothing > 1 and failed", TRUTH_FALSE);
	expect("nothing > 1 or failed", TRUTH_UNKNOWN);
	expect("nan > 0 or nan <= 0 or nan = nan", TRUTH_UNKNOWN);
	expect("nan is null", TRUTH_TRUE);
	expect("huge * huge > 1", TRUTH_UNKNOWN);
	expect("roc_auc in (0.93, null)", TRUTH_TRUE);
	expect("roc_auc in (1, null)", TRUTH_UNKNOWN);
	expect("roc_auc not in (1, null)", TRUTH_UNKNOWN);
	expect("nothing like '%'", TRUTH_UNKNOWN);
	expect("long like 'a%'", TRUTH_UNKNOWN);
	expect("long > 'a'", TRUTH_TRUE);
	expect("nothing is true", TRUTH_FALSE);

	/* of another type than what it is compared with, and a number where a truth should be */
	expect("roc_auc = 'mlp'", TRUTH_UNKNOWN);
	expect("algorithm > 1", TRUTH_UNKNOWN);
	expect("algorithm + 1 > 1", TRUTH_UNKNOWN);
	expect("roc_auc like '0%'", TRUTH_UNKNOWN);
	expect("roc_auc", TRUTH_UNKNOWN);
	expect("-algorithm < 1", TRUTH_UNKNOWN);
}

static void
check_precedence(void)
{
	expect("passed or failed and failed", TRUTH_TRUE);
	expect("(passed or failed) and failed", TRUTH_FALSE);
	expect("not failed and failed", TRUTH_FALSE);
	expect("not (failed and failed)", TRUTH_TRUE);
	expect("not not passed", TRUTH_TRUE);
	expect("- - 1 = 1 and 1 -- 1 = 2 and -minus = 1", TRUTH_TRUE);
}

static void
check_refused(void)
{
	refuse("", "expected a name or a value at character 1, found the end");
	refuse("roc_auc >", "expected a name or a value at character 10, found the end");
	refuse("roc_auc > 0.9 and", "at character 18");
	refuse("roc_auc > 0.9 roc_auc", "expected \"and\", \"or\" or the end at character 15, found \"roc_auc\"");
	refuse("0 < roc_auc < 1", "at character 13, found \"<\"");
	refuse("roc_auc == 1", "expected a name or a value at character 10, found \"=\"");
	refuse("(roc_auc > 1", "expected an operator or \")\"");
	refuse("roc_auc > 1)", "at character 12");
	refuse("roc_auc > 'a", "the end of the text");
	refuse("\"a > 1", "the end of the name");
	refuse("\"\" > 1", "an empty one");
	refuse("tag.team in ()", "expected a name or a value");
	refuse("tag.team in ('a' 'b')", "expected \",\" or \")\"");
	refuse("tag.team in 'a'", "expected \"(\"");
	refuse("tag.team not = 'a'", "expected \"in\" or \"like\"");
	refuse("tag.team is 'a'", "expected \"null\", \"true\" or \"false\"");
	refuse("roc_auc > 12abc", "expected a number");
	refuse("roc_auc > 1e999", "too large");
	refuse("roc_auc > 1; drop table x", "found \";\"");
	refuse("pg_sleep(10) > 1", "found \"(\"");
	refuse("a # b", "found \"#\"");
	refuse("roc_auc > $1", "found \"$\"");
	refuse("'\xc3\xbc\xc3\xbc' ? 1", "at character 6");

	/* what cannot mean anything, whatever the facts */
	refuse("0.9", "expected a condition at character 1, found a number");
	refuse("'a'", "found a text");
	refuse("not 1", "found a number");
	refuse("roc_auc > 1 and 2", "at character 17, found a number");
	refuse("'a' > 1", "expected a text at character 7, found a number");
	refuse("1 in ('a')", "expected a number at character 7, found a text");
	refuse("-'a' > 1", "expected a number at character 2, found a text");
	refuse("'a' + 1 > 1", "expected a number");
	refuse("1 like 'a'", "expected a text");
	refuse("algorithm like 1", "expected a text");
	refuse("algorithm like tag.team", "expected a text");
	refuse("(a > 1) > 2", "expected a condition");
}

/* Each limit, just kept and just passed. */
static void
check_limits(void)
{
	static char text[CONDITION_TEXT_MAX + 64];
	static Condition condition;
	Error		error;

	for (int passed = 0; passed <= 1; passed++)
	{
		char	   *end = text;

		memset(text, ' ', CONDITION_TEXT_MAX + (size_t) passed);
		memcpy(text, "a", 1);
		text[CONDITION_TEXT_MAX + passed] = '\0';
		CHECK(condition_parse(&condition, text, &error) == !passed);
		CHECK(!passed || error.code == ERROR_LIMIT);

		for (int i = 0; i < CONDITION_DEPTH_MAX - 1 + passed; i++)
			end += sprintf(end, "(");
		end += sprintf(end, "a");
		for (int i = 0; i < CONDITION_DEPTH_MAX - 1 + passed; i++)
			end += sprintf(end, ")");
		CHECK(condition_parse(&condition, text, &error) == !passed);
		CHECK(!passed || error.code == ERROR_LIMIT);

		end = text;
		for (int i = 0; i < CONDITION_DEPTH_MAX - 1 + passed; i++)
			end += sprintf(end, "not ");
		strcpy(end, "a");
		CHECK(condition_parse(&condition, text, &error) == !passed);

		end = text + sprintf(text, "1 = ");
		for (int i = 0; i < CONDITION_DEPTH_MAX - 1 + passed; i++)
			end += sprintf(end, "-");
		strcpy(end, "1");
		CHECK(condition_parse(&condition, text, &error) == !passed);

		end = text + sprintf(text, "a0");
		for (int i = 1; i < CONDITION_NAMES_MAX + passed; i++)
			end += sprintf(end, " or a%d", i);
		CHECK(condition_parse(&condition, text, &error) == !passed);
		CHECK(passed || (condition.n_names == CONDITION_NAMES_MAX && strcmp(condition_name(&condition, 127), "a127") == 0));

		/* the name, the values, and IN itself */
		end = text + sprintf(text, "a in (1");
		for (int i = 1; i < CONDITION_STEPS_MAX - 2 + passed; i++)
			end += sprintf(end, ",1");
		strcpy(end, ")");
		CHECK(condition_parse(&condition, text, &error) == !passed);
	}

	/* texts that fill the room for them */
	strcpy(text, "a");
	while (strlen(text) + 6 < CONDITION_TEXT_MAX / 8)
		strcat(text, "<'' or a");
	(void) condition_parse(&condition, text, &error);
}

/* Words of the grammar in any order: no crash, errors that say something, and NOT that turns what is known. */
static void
check_garbage(void)
{
	static const char *const words[] = {
		"roc_auc", "nothing", "algorithm", "passed", "'x'", "'%m_'", "1", "0.9", "null", "true", "false", "and", "or", "not", "is", "in", "like",
		"(", ")", ",", "+", "-", "*", "=", "<", ">=", "<>", "\"n\"", "'", "\"", ";", "\xc3"
	};
	static Condition condition;
	int			valid = 0;

	srand(42);
	for (int i = 0; i < 200000; i++)
	{
		char		text[512] = "";
		char		negated[600];
		Error		error = {0};
		int			looked = 0;

		for (int n = rand() % 12; n >= 0; n--)
		{
			strcat(text, words[rand() % (int) (sizeof(words) / sizeof(words[0]))]);
			strcat(text, " ");
		}
		if (!condition_parse(&condition, text, &error))
		{
			if (error.message[0] == '\0')
				CHECK(false);
			continue;
		}
		valid++;

		ConditionTruth truth = condition_evaluate(&condition, look_up, &looked);

		snprintf(negated, sizeof(negated), "not (%s)", text);
		if (!condition_parse(&condition, negated, &error))
			CHECK(false);
		else if (condition_evaluate(&condition, look_up, &looked) != (truth == TRUTH_UNKNOWN ? TRUTH_UNKNOWN : truth == TRUTH_TRUE ? TRUTH_FALSE : TRUTH_TRUE))
			CHECK(false);
	}
	CHECK(valid > 1000);
}

int
main(void)
{
	check_comparisons();
	check_patterns();
	check_unknown();
	check_precedence();
	check_refused();
	check_limits();
	check_garbage();
	return check_done();
}
