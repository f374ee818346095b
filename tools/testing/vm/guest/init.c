// SPDX-License-Identifier: MIT
/*
 * PID 1 of a test guest.
 *
 * Makes a root out of the host's files, read-only, with a tmpfs above them,
 * goes there, runs the session script on the console it was told, and switches
 * the machine off. The session reports through files in the run directory that
 * the host shares, so nothing here prints a verdict. What can be done with a
 * system call is done here: starting a program is slow under emulation.
 *
 * The kernel command line says what to do:
 *	guest.host=9p|hostfs	how the host's files come in
 *	guest.run=PATH		the run directory on the host (hostfs only)
 *	guest.out=PATH		the directory for results (hostfs: the path, 9p: any)
 *	guest.modules=PATH	the kernel's modules, a directory lib/modules
 *	guest.tty=NAME		the console of the session
 *	guest.raw=0|1		whether that console passes bytes unchanged
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define NEW_ROOT	"/newroot"
#define RUN_DIR		NEW_ROOT "/run/afsx"
#define HOST_NAME	"afsx-guest"
#define SESSION		"/run/afsx/session"
#define MODULE_LIST	"/modules.load"
#define MOUNT_9P	"trans=virtio,version=9p2000.L,msize=512000"

static char cmdline[4096];

static void power_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
	_exit(1);
}

/* Say what failed on the kernel's console, which the host keeps, and stop. */
static void fail(const char *what)
{
	int error = errno;
	int kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (kmsg >= 0)
		dprintf(kmsg, "afsx init: %s: %s\n", what, strerror(error));
	power_off();
}

static void must(int result, const char *what)
{
	if (result < 0)
		fail(what);
}

/* The value of a word NAME=VALUE of the kernel's command line, or NULL. */
static char *param(const char *name)
{
	size_t len = strlen(name);
	const char *word = cmdline;

	while (*word) {
		size_t word_len = strcspn(word, "\n ");

		if (word_len > len && !strncmp(word, name, len) && word[len] == '=')
			return strndup(word + len + 1, word_len - len - 1);
		word += word_len;
		word += strspn(word, "\n ");
	}
	return NULL;
}

static char *need_param(const char *name)
{
	char *value = param(name);

	if (!value) {
		errno = EINVAL;
		fail(name);
	}
	return value;
}

static void read_cmdline(void)
{
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t len;

	must(fd, "/proc/cmdline");
	len = read(fd, cmdline, sizeof(cmdline) - 1);
	must(len, "/proc/cmdline");
	close(fd);
}

/* Load what the kernel needs to reach the host's files; the list is in order. */
static void load_modules(void)
{
	FILE *list = fopen(MODULE_LIST, "re");
	char path[256];

	if (!list)
		return;
	while (fgets(path, sizeof(path), list)) {
		int fd;

		path[strcspn(path, "\n")] = '\0';
		fd = open(path, O_RDONLY | O_CLOEXEC);
		must(fd, path);
		if (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST)
			fail(path);
		close(fd);
	}
	fclose(list);
}

static void mount_at(const char *source, const char *target, const char *type,
		     unsigned long flags, const char *options)
{
	if (mkdir(target, 0755) < 0 && errno != EEXIST)
		fail(target);
	must(mount(source, target, type, flags, options), target);
}

/* Mount a piece of the host: a 9p tag or a path for hostfs. */
static void mount_host(const char *tag, const char *path, const char *target,
		       unsigned long flags, const char *cache)
{
	char *options;

	if (strcmp(need_param("guest.host"), "hostfs")) {
		must(asprintf(&options, MOUNT_9P ",cache=%s", cache), "memory");
		mount_at(tag, target, "9p", flags, options);
	} else {
		mount_at("none", target, "hostfs", flags, path);
	}
}

static void build_root(void)
{
	const char *out = param("guest.out");

	mount_host("host", "/", "/lower", MS_RDONLY, "loose");
	mount_at("tmpfs", "/rw", "tmpfs", 0, "mode=0755");
	must(mkdir("/rw/upper", 0755), "/rw/upper");
	must(mkdir("/rw/work", 0755), "/rw/work");
	mount_at("overlay", NEW_ROOT, "overlay", 0,
		 "lowerdir=/lower,upperdir=/rw/upper,workdir=/rw/work");
	mount_at("/dev", NEW_ROOT "/dev", NULL, MS_MOVE, NULL);
	mount_at("/proc", NEW_ROOT "/proc", NULL, MS_MOVE, NULL);
	mount_at("sysfs", NEW_ROOT "/sys", "sysfs", 0, NULL);
	mount_at("tmpfs", NEW_ROOT "/run", "tmpfs", 0, "mode=0755");
	mount_host("run", param("guest.run"), RUN_DIR, 0, "none");
	if (out)
		mount_host("out", out, RUN_DIR "/out", 0, "none");
}

/* The rest a system has; not every kernel has tracefs. */
static void mount_kernel_fs(void)
{
	mount_at("devpts", "/dev/pts", "devpts", 0, NULL);
	mount_at("tmpfs", "/dev/shm", "tmpfs", 0, NULL);
	must(symlink("/proc/self/fd", "/dev/fd"), "/dev/fd");
	mount_at("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
	mount_at(need_param("guest.modules"), "/usr/lib/modules", NULL, MS_BIND, NULL);
	must(symlink("/run/afsx/modprobe.d", "/run/modprobe.d"), "/run/modprobe.d");
}

static void name_host(void)
{
	FILE *hosts = fopen("/etc/hosts", "we");

	must(hosts ? 0 : -1, "/etc/hosts");
	fputs("127.0.0.1 localhost\n127.0.1.1 " HOST_NAME "\n::1 localhost\n", hosts);
	fclose(hosts);
	must(sethostname(HOST_NAME, strlen(HOST_NAME)), "sethostname");
}

static void start_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	must(fd, "socket");
	must(ioctl(fd, SIOCSIFFLAGS, &request), "lo");
	close(fd);
}

/*
 * The kernel boots on one processor (see machine.sh). CPU 0, and the processor
 * of a User Mode Linux, have no such switch.
 */
static void start_processors(void)
{
	glob_t found;
	size_t i;

	if (glob("/sys/devices/system/cpu/cpu[0-9]*/online", 0, NULL, &found))
		return;
	for (i = 0; i < found.gl_pathc; i++) {
		int fd = open(found.gl_pathv[i], O_WRONLY | O_CLOEXEC);

		must(fd, found.gl_pathv[i]);
		must(write(fd, "1", 1), found.gl_pathv[i]);
		close(fd);
	}
	globfree(&found);
}

static void enter_root(void)
{
	must(chdir(NEW_ROOT), NEW_ROOT);
	must(mount(".", "/", NULL, MS_MOVE, NULL), "move the root");
	must(chroot("."), "chroot");
	must(chdir("/"), "chdir");
}

static int open_console(void)
{
	struct termios mode;
	char *path;
	int fd;

	must(asprintf(&path, "/dev/%s", need_param("guest.tty")), "memory");
	fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	must(fd, path);
	if (!strcmp(need_param("guest.raw"), "1")) {
		must(tcgetattr(fd, &mode), path);
		cfmakeraw(&mode);
		must(tcsetattr(fd, TCSANOW, &mode), path);
	}
	return fd;
}

static void run_session(int console)
{
	bool interactive = !strcmp(need_param("guest.raw"), "0");
	int input = console;

	setsid();
	if (interactive)
		ioctl(console, TIOCSCTTY, 0);
	else
		input = open("/dev/null", O_RDONLY);
	dup2(input, STDIN_FILENO);
	dup2(console, STDOUT_FILENO);
	dup2(console, STDERR_FILENO);
	execl("/bin/bash", "bash", SESSION, NULL);
	fail(SESSION);
}

/* Wait for the session; whatever it orphaned is reaped on the way. */
static void wait_for(pid_t session)
{
	pid_t pid;

	do
		pid = wait(NULL);
	while (pid != session && (pid >= 0 || errno == EINTR));
}

int main(void)
{
	pid_t session;
	int console;

	mount_at("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	mount_at("proc", "/proc", "proc", 0, NULL);
	read_cmdline();
	load_modules();
	build_root();
	enter_root();
	mount_kernel_fs();
	name_host();
	start_loopback();
	start_processors();
	console = open_console();
	session = fork();
	must(session, "fork");
	if (!session)
		run_session(console);
	wait_for(session);
	tcdrain(console);
	power_off();
}
