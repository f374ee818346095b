// SPDX-License-Identifier: MIT
/*
 * mount-call: mount or remount through one of the kernel's interfaces, and print
 * the name of the error, or OK, followed by what the file system said about it.
 *
 *	mount-call old TYPE SOURCE DIR [FLAGS [OPTIONS]]	mount(2)
 *	mount-call new TYPE SOURCE DIR [OPTIONS]		fsopen(2) and its kin
 *	mount-call pick DIR [OPTIONS]				fspick(2): remount
 *	mount-call load FILE [PARAMETERS]			finit_module(2)
 *
 * MOUNT_CALL_FAIL_NTH=N in the environment makes the Nth allocation of the call
 * fail, on a kernel that can; "all" is printed when there were fewer than N.
 *
 * An empty SOURCE is none. FLAGS are words of mount_flags[] with commas between,
 * OPTIONS what mount(8) takes after -o. What a file system says to mount(2) goes
 * to the kernel's log, so `old` prints the error alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../lib/defs.h"

#define EXIT_USAGE	2

static const struct {
	const char *name;
	unsigned long flag;
} mount_flags[] = {
	{ "ro", MS_RDONLY },
	{ "remount", MS_REMOUNT },
	{ "bind", MS_BIND },
	{ "noatime", MS_NOATIME },
	{ "", 0 },
};

static int fail_nth = -1;

static void bad_usage(const char *what)
{
	fprintf(stderr, "mount-call: %s; usage:\n"
		"  mount-call old TYPE SOURCE DIR [FLAGS [OPTIONS]]\n"
		"  mount-call new TYPE SOURCE DIR [OPTIONS]\n"
		"  mount-call pick DIR [OPTIONS]\n"
		"  mount-call load FILE [PARAMETERS]\n", what);
	exit(EXIT_USAGE);
}

static unsigned long parse_flags(char *words)
{
	unsigned long flags = 0;
	char *word;

	while ((word = strsep(&words, ","))) {
		size_t i;

		for (i = 0; i < ARRAY_SIZE(mount_flags); i++)
			if (!strcmp(word, mount_flags[i].name))
				break;
		if (i == ARRAY_SIZE(mount_flags))
			bad_usage("no such flag");
		flags |= mount_flags[i].flag;
	}
	return flags;
}

/* Each message is one read, with its level in front. */
static void print_messages(int fs)
{
	char line[1024];
	ssize_t len;

	while ((len = read(fs, line, sizeof(line) - 1)) > 0) {
		line[len] = '\0';
		line[strcspn(line, "\n")] = '\0';
		printf(" %s", line);
	}
}

static int set_options(int fs, char *options)
{
	char *option;

	while ((option = strsep(&options, ","))) {
		char *value = strchr(option, '=');

		if (value)
			*value++ = '\0';
		if (*option && fsconfig(fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG,
					option, value, 0) < 0)
			return -1;
	}
	return 0;
}

static void arm_failure(void)
{
	const char *nth = getenv("MOUNT_CALL_FAIL_NTH");

	if (!nth)
		return;
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_nth < 0 || write(fail_nth, nth, strlen(nth)) < 0)
		bad_usage("this kernel fails no allocation on demand");
}

/* The kernel counts down to the allocation that fails. */
static void disarm_failure(void)
{
	char left[16] = "";

	if (fail_nth < 0)
		return;
	if (pread(fail_nth, left, sizeof(left) - 1, 0) > 0 && atoi(left))
		printf("all ");
	if (pwrite(fail_nth, "0", 1, 0) < 0)
		bad_usage("this kernel fails every allocation from now on");
}

static int report(int ret, int error, int fs)
{
	disarm_failure();
	printf("%s", ret < 0 ? strerrorname_np(error) : "OK");
	if (fs >= 0)
		print_messages(fs);
	putchar('\n');
	return EXIT_SUCCESS;
}

static int call_old(int argc, char **argv)
{
	unsigned long flags = argc > 3 ? parse_flags(argv[3]) : 0;
	const char *source = *argv[1] ? argv[1] : NULL;
	int ret;

	arm_failure();
	ret = mount(source, argv[2], argv[0], flags, argc > 4 ? argv[4] : NULL);
	return report(ret, errno, -1);
}

static int mount_new(int fs, char **argv, char *options)
{
	int mnt;

	if (*argv[1] && fsconfig(fs, FSCONFIG_SET_STRING, "source", argv[1], 0) < 0)
		return -1;
	if (set_options(fs, options) < 0)
		return -1;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	mnt = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (mnt < 0)
		return -1;
	return move_mount(mnt, "", AT_FDCWD, argv[2], MOVE_MOUNT_F_EMPTY_PATH);
}

static int call_new(int argc, char **argv)
{
	int fs, ret;

	arm_failure();
	fs = fsopen(argv[0], FSOPEN_CLOEXEC);
	if (fs < 0)
		return report(fs, errno, -1);
	ret = mount_new(fs, argv, argc > 3 ? argv[3] : NULL);
	return report(ret, errno, fs);
}

static int call_pick(int argc, char **argv)
{
	int fs, ret;

	arm_failure();
	fs = fspick(AT_FDCWD, argv[0], FSPICK_CLOEXEC);
	if (fs < 0)
		return report(fs, errno, -1);
	ret = set_options(fs, argc > 1 ? argv[1] : NULL);
	if (!ret)
		ret = fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0);
	return report(ret, errno, fs);
}

static int call_load(int argc, char **argv)
{
	int module = open(argv[0], O_RDONLY | O_CLOEXEC);
	int ret;

	if (module < 0)
		return report(module, errno, -1);
	arm_failure();
	ret = syscall(SYS_finit_module, module, argc > 1 ? argv[1] : "", 0);
	return report(ret, errno, -1);
}

static const struct {
	const char *name;
	int min, max;
	int (*call)(int argc, char **argv);
} calls[] = {
	{ "old", 3, 5, call_old },
	{ "new", 3, 4, call_new },
	{ "pick", 1, 2, call_pick },
	{ "load", 1, 2, call_load },
};

int main(int argc, char **argv)
{
	size_t i;

	if (argc < 2)
		bad_usage("no interface named");
	for (i = 0; i < ARRAY_SIZE(calls); i++)
		if (!strcmp(argv[1], calls[i].name))
			break;
	if (i == ARRAY_SIZE(calls))
		bad_usage("no such interface");
	argc -= 2;
	argv += 2;
	if (argc < calls[i].min || argc > calls[i].max)
		bad_usage("wrong number of arguments");
	return calls[i].call(argc, argv);
}
