/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The seal: whatever is changed, cut, swapped or added, it does not hold. */
#include "list_fixture.h"

#include <openssl/evp.h>

enum { CHUNK = CERTDIR_SEAL_CHUNK };

static uint64_t random_state;

/* splitmix64 */
static uint64_t next_random(void)
{
	uint64_t n = random_state += UINT64_C(0x9e3779b97f4a7c15);

	n = (n ^ n >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	n = (n ^ n >> 27) * UINT64_C(0x94d049bb133111eb);
	return n ^ n >> 31;
}

static size_t below(size_t limit)
{
	return (size_t)(next_random() % limit);
}

static unsigned char *make_image(size_t size)
{
	unsigned char *image = malloc(size + 1);

	assert_non_null(image);
	for (size_t i = 0; i < size; i++)
		image[i] = (unsigned char)next_random();
	return image;
}

/* A sealed file of `size` bytes of image; malloc'ed. */
static unsigned char *make_sealed(size_t size, size_t *total)
{
	unsigned char *image = make_image(size), *file;

	fixture_seal(image, size);
	file = fixture_read(total);
	assert_memory_equal(file, image, size);
	free(image);
	return file;
}

static bool holds(const unsigned char *file, size_t size)
{
	size_t image;
	bool held = certdir_list_seal_check(file, size, &image) == CERTDIR_SEAL_TRUE;

	assert_true(held || image == 0);
	return held;
}

static const size_t sizes[] = {0, 1, 4096, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 17};

/* The format, written down a second time. */
static void test_format(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		const size_t chunks = (sizes[i] + CHUNK - 1) / CHUNK;
		unsigned char expected[24 + 32 * 3] = {0}, digest[EVP_MAX_MD_SIZE];
		size_t total, image;
		unsigned char *file = make_sealed(sizes[i], &total);

		assert_int_equal(total, sizes[i] + 32 * chunks + 56);
		assert_int_equal(certdir_list_seal_check(file, total, &image), CERTDIR_SEAL_TRUE);
		assert_int_equal(image, sizes[i]);
		memcpy(expected, "certdir\3", 8);
		for (int b = 0; b < 8; b++)
			expected[8 + b] = (unsigned char)((uint64_t)sizes[i] >> (8 * b));
		for (size_t c = 0; c < chunks; c++) {
			size_t size = sizes[i] - c * CHUNK < CHUNK ? sizes[i] - c * CHUNK : CHUNK;

			assert_int_equal(EVP_Digest(file + c * CHUNK, size, digest, NULL, EVP_sha256(), NULL), 1);
			memcpy(expected + 24 + 32 * c, digest, 32);
		}
		assert_memory_equal(file + sizes[i], expected + 24, 32 * chunks);
		assert_memory_equal(file + total - 56, expected, 24);
		assert_int_equal(EVP_Digest(expected, 24 + 32 * chunks, digest, NULL, EVP_sha256(), NULL), 1);
		assert_memory_equal(file + total - 32, digest, 32);
		free(file);
	}
}

static void test_every_byte_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		size_t total;
		unsigned char *file = make_sealed(sizes[i], &total);

		/* All of a small file and of each seal; of a large image its ends, those of its chunks, and some between. */
		for (size_t at = 0; at < total; at++) {
			const unsigned char bit = (unsigned char)(1u << below(8));

			if (at < sizes[i] && sizes[i] > 4096 && at % CHUNK != 0 && at % CHUNK != CHUNK - 1 &&
			    at != sizes[i] - 1 && at % 199999 != 0)
				continue;
			file[at] ^= bit;
			if (holds(file, total))
				fail_msg("size %zu: byte %zu can be changed", sizes[i], at);
			file[at] ^= bit;
		}
		assert_true(holds(file, total));
		free(file);
	}
}

static void test_cut_and_grown(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		size_t total;
		unsigned char *file = make_sealed(sizes[i], &total);
		unsigned char *grown = calloc(1, total + CERTDIR_SEAL_FOOTER);

		for (size_t cut = 1; cut <= total; cut += cut < 300 ? 1 : 1 + cut / 3)
			if (holds(file, total - cut) || holds(file + cut, total - cut))
				fail_msg("size %zu: %zu bytes can be cut off", sizes[i], cut);
		assert_non_null(grown);
		memcpy(grown, file, total);
		for (size_t more = 1; more <= CERTDIR_SEAL_FOOTER; more++)
			assert_false(holds(grown, total + more));
		memcpy(grown + total, file + total - CERTDIR_SEAL_FOOTER, CERTDIR_SEAL_FOOTER);
		assert_false(holds(grown, total + CERTDIR_SEAL_FOOTER));
		free(grown);
		free(file);
	}
}

static void swap(unsigned char *a, unsigned char *b, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char kept = a[i];

		a[i] = b[i];
		b[i] = kept;
	}
}

static void test_swapped_chunks(void **state)
{
	size_t total, image = 3 * CHUNK;
	unsigned char *file = make_sealed(image, &total);

	(void)state;
	swap(file, file + CHUNK, CHUNK);
	assert_false(holds(file, total));
	swap(file + image, file + image + 32, 32);
	assert_false(holds(file, total)); /* each chunk is as its digest says, but not in its place */
	swap(file, file + CHUNK, CHUNK);
	swap(file + image, file + image + 32, 32);
	assert_true(holds(file, total));
	/* A chunk and its digest are taken out of the middle, and the size says so. */
	memmove(file + CHUNK, file + 2 * CHUNK, total - 2 * CHUNK);
	memmove(file + 2 * CHUNK + 32, file + 2 * CHUNK + 64, 32 + 56);
	file[total - CHUNK - 32 - 56 + 8 + 1] = 0x80;
	assert_int_equal(file[total - CHUNK - 32 - 56], 'c');
	assert_false(holds(file, total - CHUNK - 32));
	free(file);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_format),
		TEST(test_every_byte_counts),
		TEST(test_cut_and_grown),
		TEST(test_swapped_chunks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
