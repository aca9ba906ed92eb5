/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "identity/pattern.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "certdir.h"
#include "identity/utf8.h"

enum { PROGRAM_MAX = 1024, RANGES_MAX = CERTDIR_PATTERN_MAX * 4, REPEAT_MAX = 255 };

enum opcode {
	OP_RANGES, /* one character out of ranges[x .. x + y) */
	OP_NOT, /* one character that is in none of them */
	OP_SPLIT, /* go on at pc + x and, less wanted, at pc + y */
	OP_SAVE, /* x = 0: the group starts here; 1: it ends */
	OP_MATCH
};

/* Jumps are relative, so that a repeat is compiled by copying. */
struct instruction {
	enum opcode op;
	int x, y;
};

struct range {
	uint32_t low, high;
};

struct certdir_pattern {
	struct instruction program[PROGRAM_MAX];
	struct range ranges[RANGES_MAX];
	int size;
	int range_count;
};

/* ---- compiler: recursive descent, straight into the program ---- */

struct compiler {
	struct certdir_pattern *pattern;
	const char *text, *at, *end; /* between ^ and $ */
	const char *why, *where; /* first complaint */
	int groups;
	int depth;
};

static void compile_alternatives(struct compiler *c);

static void complain(struct compiler *c, const char *why)
{
	if (c->why)
		return;
	c->why = why;
	c->where = c->at;
}

/* Makes room for `count` instructions at `where`; what follows is moved. NULL when the program is full. */
static struct instruction *emit(struct compiler *c, int where, int count)
{
	struct certdir_pattern *pattern = c->pattern;

	if (c->why)
		return NULL;
	if (pattern->size + count > PROGRAM_MAX) {
		complain(c, "too large: ask for fewer repeats");
		return NULL;
	}
	memmove(pattern->program + where + count, pattern->program + where,
		(size_t)(pattern->size - where) * sizeof *pattern->program);
	pattern->size += count;
	return pattern->program + where;
}

static void emit_one(struct compiler *c, int where, enum opcode op, int x, int y)
{
	struct instruction *instruction = emit(c, where, 1);

	if (instruction)
		*instruction = (struct instruction){op, x, y};
}

static void add_range(struct compiler *c, uint32_t low, uint32_t high)
{
	/* Each range takes a character of the pattern at least, \w takes two for four of them. */
	c->pattern->ranges[c->pattern->range_count++] = (struct range){low, high};
}

/* Reads one character; the text is valid UTF-8. */
static uint32_t next_character(struct compiler *c)
{
	uint32_t character = 0;

	c->at += certdir_utf8_read(c->at, (size_t)(c->end - c->at), &character);
	return character;
}

static bool is_punctuation(uint32_t character)
{
	return character > ' ' && character < 0x7f && strchr("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", (int)character);
}

/* Behind a backslash: adds the ranges of \d and \w and returns false, or gives the character that is meant. */
static bool read_escape(struct compiler *c, uint32_t *character)
{
	*character = c->at < c->end ? next_character(c) : 0;
	if (is_punctuation(*character))
		return true;
	if (*character != 'd' && *character != 'w') {
		complain(c, "only \\d, \\w and \\ before a punctuation mark have a meaning");
		return false;
	}
	add_range(c, '0', '9');
	if (*character == 'w') {
		add_range(c, 'A', 'Z');
		add_range(c, 'a', 'z');
		add_range(c, '_', '_');
	}
	return false;
}

static void compile_class_item(struct compiler *c)
{
	uint32_t low = next_character(c), high;

	if (low == '[' && c->at < c->end && strchr(":.=", *c->at)) {
		complain(c, "[: :] is not known: write the characters, or \\d and \\w");
		return;
	}
	if (low == '\\' && !read_escape(c, &low))
		return;
	high = low;
	if (c->end - c->at >= 2 && c->at[0] == '-' && c->at[1] != ']') {
		c->at++;
		high = next_character(c);
		if (high == '\\' && !read_escape(c, &high))
			complain(c, "a range ends in a single character");
		if (high < low)
			complain(c, "a range runs from the lower to the higher character");
	}
	add_range(c, low, high);
}

static void compile_class(struct compiler *c)
{
	int first = c->pattern->range_count;
	bool negated = c->at < c->end && *c->at == '^';

	if (negated)
		c->at++;
	if (c->at < c->end && *c->at == ']')
		complain(c, "[] holds nothing: write \\] for the bracket itself");
	while (!c->why && c->at < c->end && *c->at != ']')
		compile_class_item(c);
	if (c->at == c->end)
		complain(c, "] is missing");
	else
		c->at++;
	emit_one(c, c->pattern->size, negated ? OP_NOT : OP_RANGES, first, c->pattern->range_count - first);
}

static void compile_group(struct compiler *c)
{
	bool taking = c->end - c->at < 2 || c->at[0] != '?' || c->at[1] != ':';

	if (taking && c->at < c->end && *c->at == '?')
		complain(c, "after (? only : has a meaning");
	if (taking && ++c->groups > 1)
		complain(c, "a second group: write (?: ) for all but one");
	c->depth++;
	if (taking)
		emit_one(c, c->pattern->size, OP_SAVE, 0, 0);
	else
		c->at += 2;
	if (!c->why)
		compile_alternatives(c);
	if (c->at == c->end)
		complain(c, ") is missing");
	else
		c->at++;
	c->depth--;
	if (taking)
		emit_one(c, c->pattern->size, OP_SAVE, 1, 0);
}

static void compile_atom(struct compiler *c)
{
	int first = c->pattern->range_count;
	uint32_t character = next_character(c);

	switch (character) {
	case '[':
		compile_class(c);
		return;
	case '(':
		compile_group(c);
		return;
	case '.':
		emit_one(c, c->pattern->size, OP_NOT, first, 0);
		return;
	case '*':
	case '+':
	case '?':
	case '{':
		complain(c, "nothing to repeat here: write \\ before the mark itself");
		return;
	case '^':
	case '$':
		complain(c, "^ and $ stand at the ends only: write \\ before the mark itself");
		return;
	case '\\':
		if (read_escape(c, &character))
			add_range(c, character, character);
		break;
	default:
		add_range(c, character, character);
	}
	emit_one(c, c->pattern->size, OP_RANGES, first, c->pattern->range_count - first);
}

/* Reads the number inside {}, -1 when there is none. */
static int read_count(struct compiler *c)
{
	int count = -1;

	while (c->at < c->end && *c->at >= '0' && *c->at <= '9' && count <= REPEAT_MAX)
		count = (count < 0 ? 0 : count * 10) + (*c->at++ - '0');
	if (count > REPEAT_MAX)
		complain(c, "at most 255 repeats");
	return count;
}

/* Reads what stands behind an atom: how often it may come. max = -1: without end. False when nothing stands there. */
static bool read_repeat(struct compiler *c, int *min, int *max)
{
	char mark = c->at < c->end ? *c->at : '\0';

	if (mark == '\0' || !strchr("*+?{", mark))
		return false;
	c->at++;
	*min = mark == '+';
	*max = mark == '?' ? 1 : -1;
	if (mark != '{')
		return true;
	*min = *max = read_count(c);
	if (c->at < c->end && *c->at == ',') {
		c->at++;
		*max = read_count(c);
	}
	if (*min < 0 || c->at == c->end || *c->at != '}' || (*max >= 0 && *max < *min))
		complain(c, "repeats are written {2}, {2,} or {2,4}: write \\{ for the brace itself");
	else
		c->at++;
	return true;
}

static void append_copy(struct compiler *c, const struct instruction *atom, int size)
{
	struct instruction *copy = emit(c, c->pattern->size, size);

	if (copy)
		memcpy(copy, atom, (size_t)size * sizeof *copy);
}

/* Turns the atom that starts at `start` into `min` copies of it and either max - min that may be missing, or a loop. */
static void compile_repeat(struct compiler *c, int start, int min, int max)
{
	struct certdir_pattern *pattern = c->pattern;
	int size = pattern->size - start;
	struct instruction *atom = malloc((size_t)size * sizeof *atom + 1);

	if (!atom) {
		complain(c, "out of memory");
		return;
	}
	memcpy(atom, pattern->program + start, (size_t)size * sizeof *atom);
	pattern->size = start;
	for (int i = 0; i < min && !c->why; i++)
		append_copy(c, atom, size);
	for (int i = min; i < max && !c->why; i++) {
		emit_one(c, pattern->size, OP_SPLIT, 1, size + 1);
		append_copy(c, atom, size);
	}
	if (max < 0 && min > 0)
		emit_one(c, pattern->size, OP_SPLIT, -size, 1);
	if (max < 0 && min == 0) {
		emit_one(c, pattern->size, OP_SPLIT, 1, size + 2);
		append_copy(c, atom, size);
		emit_one(c, pattern->size, OP_SPLIT, -size - 1, -size - 1);
	}
	free(atom);
}

static void compile_sequence(struct compiler *c)
{
	int min, max;

	while (!c->why && c->at < c->end && *c->at != '|' && *c->at != ')') {
		int start = c->pattern->size;

		compile_atom(c);
		if (!c->why && read_repeat(c, &min, &max) && !c->why)
			compile_repeat(c, start, min, max);
		if (!c->why && c->at < c->end && strchr("*+?", *c->at))
			complain(c, "a repeat of a repeat: repeats are greedy, and (?: ) makes an atom of one");
	}
}

/* a|b|c becomes: split a, (split b, c); each but the last ends in a jump behind all. */
static void compile_alternatives(struct compiler *c)
{
	int start = c->pattern->size, jump;

	compile_sequence(c);
	if (c->why || c->at == c->end || *c->at != '|')
		return;
	if (c->depth == 0) {
		complain(c, "| stands between parentheses only: write (?:a|b)");
		return;
	}
	c->at++;
	emit_one(c, start, OP_SPLIT, 1, c->pattern->size - start + 2);
	jump = c->pattern->size;
	emit_one(c, jump, OP_SPLIT, 0, 0);
	compile_alternatives(c);
	if (!c->why)
		c->pattern->program[jump].x = c->pattern->program[jump].y = c->pattern->size - jump;
}

static void compile_whole(struct compiler *c, const char *text)
{
	size_t length = strlen(text);

	c->text = c->at = c->end = text;
	if (length > CERTDIR_PATTERN_MAX) {
		complain(c, "longer than 256 bytes");
		return;
	}
	for (size_t i = 0, size; i < length && !c->why; i += size) {
		uint32_t character;

		size = certdir_utf8_read(text + i, length - i, &character);
		if (size == 0)
			complain(c, "not UTF-8");
	}
	if (length < 2 || text[0] != '^')
		complain(c, "has to start with ^");
	else if (text[length - 1] != '$')
		complain(c, "has to end with $");
	if (c->why)
		return;
	c->at = text + 1;
	c->end = text + length - 1;
	compile_alternatives(c);
	if (!c->why && c->at < c->end)
		complain(c, "( is missing");
	if (!c->why && c->groups != 1)
		complain(c, "no group: put ( ) around what is to be taken");
	emit_one(c, c->pattern->size, OP_MATCH, 0, 0);
}

struct certdir_pattern *certdir_pattern_compile(const char *text, const char **why, size_t *at)
{
	struct compiler c = {.pattern = calloc(1, sizeof *c.pattern)};

	if (!c.pattern) {
		*why = "out of memory";
		*at = 0;
		return NULL;
	}
	compile_whole(&c, text);
	if (!c.why)
		return c.pattern;
	free(c.pattern);
	*why = c.why;
	*at = (size_t)(c.where - c.text);
	return NULL;
}

void certdir_pattern_free(struct certdir_pattern *pattern)
{
	free(pattern);
}

/* ---- matcher ---- */

/* One way through the pattern so far: where it stands and where its group was. -1: not yet. */
struct thread {
	int pc;
	int saved[2];
};

struct threads {
	struct thread list[PROGRAM_MAX]; /* the most wanted first */
	int count;
};

struct matcher {
	const struct certdir_pattern *pattern;
	struct threads now, next;
	struct thread stack[PROGRAM_MAX + 1];
	int visited[PROGRAM_MAX]; /* the last position at which the instruction was reached */
};

/* Follows splits and saves from `thread` to all instructions that take a character, or MATCH. */
static void follow(struct matcher *m, struct threads *threads, struct thread thread, int position)
{
	int depth = 0;

	m->stack[depth++] = thread;
	while (depth > 0) {
		const struct instruction *instruction;

		thread = m->stack[--depth];
		for (;;) {
			/* Once for each position: this bounds the cost, and ends loops around nothing. */
			if (m->visited[thread.pc] == position)
				break;
			m->visited[thread.pc] = position;
			instruction = &m->pattern->program[thread.pc];
			if (instruction->op == OP_SPLIT) {
				m->stack[depth] = thread;
				m->stack[depth++].pc += instruction->y;
				thread.pc += instruction->x;
			} else if (instruction->op == OP_SAVE) {
				thread.saved[instruction->x] = position;
				thread.pc++;
			} else {
				threads->list[threads->count++] = thread;
				break;
			}
		}
	}
}

static bool accepts(const struct certdir_pattern *pattern, const struct instruction *instruction, uint32_t character)
{
	if (instruction->op == OP_MATCH)
		return false;
	for (int i = 0; i < instruction->y; i++) {
		const struct range *range = &pattern->ranges[instruction->x + i];

		if (character >= range->low && character <= range->high)
			return instruction->op == OP_RANGES;
	}
	return instruction->op == OP_NOT;
}

/* Takes one character along every way; `position` is the one behind it. */
static void step(struct matcher *m, uint32_t character, int position)
{
	m->next.count = 0;
	for (int i = 0; i < m->now.count; i++) {
		struct thread thread = m->now.list[i];

		if (!accepts(m->pattern, &m->pattern->program[thread.pc], character))
			continue;
		thread.pc++;
		follow(m, &m->next, thread, position);
	}
	memcpy(m->now.list, m->next.list, (size_t)m->next.count * sizeof *m->next.list);
	m->now.count = m->next.count;
}

bool certdir_pattern_match(const struct certdir_pattern *pattern, const char *value, size_t length, size_t *start,
			   size_t *end)
{
	struct matcher m;
	uint32_t character;
	size_t size;

	m.pattern = pattern;
	m.now.count = 0;
	memset(m.visited, 0xff, sizeof m.visited);
	if (length > CERTDIR_VALUE_MAX)
		return false;
	follow(&m, &m.now, (struct thread){0, {-1, -1}}, 0);
	for (size_t i = 0; i < length && m.now.count > 0; i += size) {
		size = certdir_utf8_read(value + i, length - i, &character);
		if (size == 0)
			return false;
		step(&m, character, (int)(i + size));
	}
	for (int i = 0; i < m.now.count; i++) {
		const struct thread *thread = &m.now.list[i];

		if (pattern->program[thread->pc].op != OP_MATCH)
			continue;
		*start = (size_t)thread->saved[0];
		*end = (size_t)thread->saved[1];
		return thread->saved[0] >= 0 && thread->saved[1] >= thread->saved[0];
	}
	return false;
}
