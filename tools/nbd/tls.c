// SPDX-License-Identifier: MIT
#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "tls.h"

/* doc/proto.md wants TLS 1.2 and later versions. */
#define VERSIONS	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
#define PSK_VERSIONS	VERSIONS ":-KX-ALL:+ECDHE-PSK:+DHE-PSK"

struct tls {
	const struct tls_config			*config;
	gnutls_certificate_credentials_t	cert;
	gnutls_psk_server_credentials_t		psk;
};

/* Record what GnuTLS said of a file, or why it could not read it. */
static int file_error(struct errbuf *err, const char *option, const char *path,
		      int code)
{
	return err_set(err, -EINVAL, "%s: %s: %s", option, path,
		       access(path, R_OK) ? strerror(errno) : gnutls_strerror(code));
}

static int load_certificates(struct tls *tls, struct errbuf *err)
{
	static const char option[] = "--tls-certificates";
	char ca[PATH_MAX], crl[PATH_MAX], cert[PATH_MAX], key[PATH_MAX];
	const char *dir = tls->config->directory;
	int ret;

	snprintf(ca, sizeof(ca), "%s/ca-cert.pem", dir);
	snprintf(crl, sizeof(crl), "%s/ca-crl.pem", dir);
	snprintf(cert, sizeof(cert), "%s/server-cert.pem", dir);
	snprintf(key, sizeof(key), "%s/server-key.pem", dir);
	ret = gnutls_certificate_allocate_credentials(&tls->cert);
	if (ret)
		return err_set(err, -ENOMEM, "out of memory");
	ret = gnutls_certificate_set_x509_trust_file(tls->cert, ca,
						     GNUTLS_X509_FMT_PEM);
	if (ret < 0)
		return file_error(err, option, ca, ret);
	ret = gnutls_certificate_set_x509_key_file(tls->cert, cert, key,
						   GNUTLS_X509_FMT_PEM);
	if (ret < 0)
		return file_error(err, option,
				  !access(cert, R_OK) && access(key, R_OK) ? key : cert, ret);
	if (access(crl, F_OK))
		return 0;
	ret = gnutls_certificate_set_x509_crl_file(tls->cert, crl,
						   GNUTLS_X509_FMT_PEM);
	return ret < 0 ? file_error(err, option, crl, ret) : 0;
}

static int load_keys(struct tls *tls, struct errbuf *err)
{
	const char *path = tls->config->psk_file;
	struct stat st;
	int ret;

	/* GnuTLS reads it at each handshake only */
	if (access(path, R_OK) || stat(path, &st))
		return err_set(err, -errno, "--tls-psk: %s: %s", path,
			       strerror(errno));
	if (S_ISREG(st.st_mode) && !st.st_size)
		return err_set(err, -EINVAL, "--tls-psk: %s: no keys are in it", path);
	ret = gnutls_psk_allocate_server_credentials(&tls->psk);
	if (ret)
		return err_set(err, -ENOMEM, "out of memory");
	ret = gnutls_psk_set_server_credentials_file(tls->psk, path);
	return ret < 0 ? file_error(err, "--tls-psk", path, ret) : 0;
}

int tls_open(const struct tls_config *config, struct tls **tls, struct errbuf *err)
{
	int ret;

	*tls = NULL;
	if (!config->directory && !config->psk_file)
		return 0;
	*tls = calloc(1, sizeof(**tls));
	if (!*tls)
		return err_set(err, -ENOMEM, "out of memory");
	(*tls)->config = config;
	ret = config->directory ? load_certificates(*tls, err) :
				  load_keys(*tls, err);
	if (ret) {
		tls_close(*tls);
		*tls = NULL;
	}
	return ret;
}

void tls_close(struct tls *tls)
{
	if (!tls)
		return;
	if (tls->cert)
		gnutls_certificate_free_credentials(tls->cert);
	if (tls->psk)
		gnutls_psk_free_server_credentials(tls->psk);
	free(tls);
}

bool tls_required(const struct tls *tls)
{
	return tls && tls->config->required;
}

/* What GnuTLS sends and receives goes through the channel, with its deadline. */

static ssize_t push(gnutls_transport_ptr_t ptr, const void *buf, size_t len)
{
	return channel_raw_send(ptr, buf, len);
}

static ssize_t pull(gnutls_transport_ptr_t ptr, void *buf, size_t len)
{
	return channel_raw_recv(ptr, buf, len);
}

static int new_session(struct tls *tls, struct channel *ch, gnutls_session_t *s)
{
	int ret = gnutls_init(s, GNUTLS_SERVER | GNUTLS_NO_SIGNAL);

	if (ret)
		return ret;
	gnutls_transport_set_ptr(*s, ch);
	gnutls_transport_set_push_function(*s, push);
	gnutls_transport_set_pull_function(*s, pull);
	ret = gnutls_priority_set_direct(*s, tls->psk ? PSK_VERSIONS : VERSIONS,
					 NULL);
	if (ret)
		return ret;
	if (tls->psk)
		return gnutls_credentials_set(*s, GNUTLS_CRD_PSK, tls->psk);
	if (tls->config->verify_peer) {
		gnutls_certificate_server_set_request(*s, GNUTLS_CERT_REQUIRE);
		gnutls_session_set_verify_cert(*s, NULL, 0);
	}
	return gnutls_credentials_set(*s, GNUTLS_CRD_CERTIFICATE, tls->cert);
}

int tls_accept(struct tls *tls, struct channel *ch)
{
	gnutls_session_t session = NULL;
	int ret = new_session(tls, ch, &session);

	while (!ret) {
		ret = gnutls_handshake(session);
		if (!ret) {
			ch->tls = session;
			return 0;
		}
		if (!gnutls_error_is_fatal(ret))
			ret = 0;
	}
	log_debug("no TLS", LOG_S("why", gnutls_strerror(ret)));
	if (session)
		gnutls_deinit(session);
	return channel_expired(ch) ? -ETIMEDOUT : -EPROTO;
}

bool tls_pending(void *session)
{
	return gnutls_record_check_pending(session);
}

ssize_t tls_recv(void *session, void *buf, size_t len)
{
	ssize_t n;

	do {
		n = gnutls_record_recv(session, buf, len);
	} while (n < 0 && !gnutls_error_is_fatal((int)n));
	return n < 0 ? -ECONNRESET : n;
}

ssize_t tls_send(void *session, const void *buf, size_t len)
{
	ssize_t n;

	/* after a call that was interrupted the same bytes are to be sent again */
	do {
		n = gnutls_record_send(session, buf, len);
	} while (n == GNUTLS_E_INTERRUPTED || n == GNUTLS_E_AGAIN);
	return n < 0 ? -EPIPE : n;
}

void tls_end(void *session)
{
	gnutls_bye(session, GNUTLS_SHUT_WR);
	gnutls_deinit(session);
}
