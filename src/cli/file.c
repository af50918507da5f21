/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole files and hexadecimal arguments as bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

const char *file_name(const char *path)
{
	return strcmp(path, "-") ? path : "standard input";
}

/* Reads fd to its end. 0 or -errno. */
static int read_all(int fd, size_t expected, uint8_t **data, size_t *len)
{
	size_t cap = expected + 4096, n = 0;
	uint8_t *buf = malloc(cap + 1), *grown;
	ssize_t got;
	int err = 0;

	while (buf) {
		got = read(fd, buf + n, cap - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			err = -errno;
		if (got <= 0)
			break;
		n += (size_t)got;
		if (n < cap)
			continue;
		cap *= 2;
		grown = realloc(buf, cap + 1);
		if (!grown)
			free(buf);
		buf = grown;
	}
	if (!buf)
		return -ENOMEM;
	if (err) {
		free(buf);
		return err;
	}
	buf[n] = 0;
	*data = buf;
	*len = n;
	return 0;
}

int file_read(const char *path, uint8_t **data, size_t *len)
{
	bool is_stdin = !strcmp(path, "-");
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int err;

	if (fd < 0)
		return fail(EXIT_BAD_INPUT, "%s: %s", path, strerror(errno));
	err = fstat(fd, &st) ? -errno : S_ISDIR(st.st_mode) ? -EISDIR : 0;
	if (!err)
		err = read_all(fd, S_ISREG(st.st_mode) ? (size_t)st.st_size : 0, data, len);
	if (!is_stdin)
		close(fd);
	if (err)
		return fail(EXIT_BAD_INPUT, "%s: %s", file_name(path), strerror(-err));
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int hex_parse(const char *text, size_t len, uint8_t **data, size_t *n)
{
	uint8_t *bytes = malloc(len / 2 + 1);
	size_t count = 0;
	int high = -1, digit;

	if (!bytes)
		return -ENOMEM;
	for (size_t i = 0; i < len; i++) {
		if (high < 0 && text[i] == '0' && i + 1 < len && (text[i + 1] | 0x20) == 'x') {
			i++;
			continue;
		}
		digit = hex_digit(text[i]);
		if (digit >= 0 && high >= 0) {
			bytes[count++] = (uint8_t)(high << 4 | digit);
			high = -1;
		} else if (digit >= 0) {
			high = digit;
		} else if (high >= 0 || !memchr(" \t\r\n,:", text[i], 6)) {
			goto fail;
		}
	}
	if (high >= 0)
		goto fail;
	*data = bytes;
	*n = count;
	return 0;
fail:
	free(bytes);
	return -EINVAL;
}
