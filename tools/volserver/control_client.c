// SPDX-License-Identifier: MIT
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cleanup.h"
#include "control.h"

/* Append a word with its NUL; false when there is no room. */
static bool append(char *request, size_t *len, const char *word)
{
	size_t n = strlen(word) + 1;

	if (n > CONTROL_REQUEST_MAX - *len)
		return false;
	memcpy(request + *len, word, n);
	*len += n;
	return true;
}

static int build_request(char *request, size_t *len, int argc, char **argv,
			 struct errbuf *err)
{
	char cwd[PATH_MAX];
	int i;

	*len = 0;
	if (!getcwd(cwd, sizeof(cwd)))
		return err_set(err, -errno, "working directory: %s",
			       strerror(errno));
	append(request, len, cwd);
	for (i = 0; i < argc; i++) {
		if (i == CONTROL_WORDS_MAX || !append(request, len, argv[i]))
			return err_set(err, -E2BIG, "command is too long");
	}
	return 0;
}

static int connect_to(const char *path, struct errbuf *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, ret;

	if (strlen(path) >= sizeof(addr.sun_path))
		return err_set(err, -ENAMETOOLONG, "%s: path is too long", path);
	memcpy(addr.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd >= 0 && !connect(fd, (void *)&addr, sizeof(addr)))
		return fd;
	ret = err_set(err, -errno, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ret;
}

/* Pass output on until the exit status comes. */
static int relay(int fd, FILE *out, FILE *errors, struct errbuf *err)
{
	char msg[1 + CONTROL_OUTPUT_MAX];
	ssize_t n;

	while ((n = recv(fd, msg, sizeof(msg), 0)) > 1) {
		switch (msg[0]) {
		case CONTROL_OUT:
			fwrite(msg + 1, 1, n - 1, out);
			break;
		case CONTROL_ERR:
			fwrite(msg + 1, 1, n - 1, errors);
			fflush(errors);
			break;
		case CONTROL_EXIT:
			return (unsigned char)msg[1];
		default:
			return err_set(err, -EPROTO,
				       "control socket speaks another protocol");
		}
	}
	if (n < 0)
		return err_set(err, -errno, "control socket: %s",
			       strerror(errno));
	return err_set(err, -EPIPE, "daemon went away");
}

int control_call(const char *path, int argc, char **argv, FILE *out,
		 FILE *errors, struct errbuf *err)
{
	int fd CLEANUP_CLOSE = -1;
	char request[CONTROL_REQUEST_MAX];
	size_t len;
	int ret;

	ret = build_request(request, &len, argc, argv, err);
	if (ret)
		return ret;
	fd = connect_to(path, err);
	if (fd < 0)
		return fd;
	if (send(fd, request, len, MSG_NOSIGNAL) < 0)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	return relay(fd, out, errors, err);
}
