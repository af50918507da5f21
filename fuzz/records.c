/* SPDX-License-Identifier: BSD-2-Clause */
/* Captures record by record: what comes out lies in the input, one record behind the other, byte for byte. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "net/records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool packed = size >= 2 && data[0] == 0x1f && data[1] == 0x8b;
	int fd = memfd_create("records", 0), more;
	struct records r;
	struct record rec;
	size_t at = 0;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET))
		abort();
	if (records_open(&r, fd))
		abort();
	while ((more = records_next(&r, &rec)) > 0) {
		if (!packed && (rec.raw_len > size - at || memcmp(rec.raw, data + at, rec.raw_len)))
			abort();
		if (rec.packet && (rec.data < rec.raw || rec.len > rec.raw_len ||
		                   (size_t)(rec.data - rec.raw) > rec.raw_len - rec.len))
			abort();
		at += rec.raw_len;
		records_link_type(&r, 1);
	}
	if (more < 0 && !r.error[0])
		abort();
	if (!more && !packed && at != size)
		abort();
	records_close(&r);
	close(fd);
	return 0;
}
